"""The generated pages say what the code says, and the others name nothing that is not there."""

import re
from dataclasses import fields

import pytest

from alembic_online.policy import PREFIX, Policy
from tests.documents.generate import HOW, PAGES, REFERENCE, VERSION
from tests.documents.operations import operations
from tests.paths import BACKEND
from tests.servers import Server


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name](), HOW


def test_the_operations_are_carried_out_as_their_page_says(server: Server, database: str) -> None:
    if server.version != VERSION:
        pytest.skip(f"the page shows the steps of PostgreSQL {VERSION}")
    assert (REFERENCE / "operations.md").read_text(encoding="utf-8") == operations(database), HOW


def test_the_places_in_the_glossary_are_there() -> None:
    places = re.findall(r"`([\w/]+(?:/|\.py))`", (REFERENCE / "glossary.md").read_text(encoding="utf-8"))
    assert len(places) > 20
    assert [place for place in places if not (BACKEND / "alembic_online" / place).exists()] == []


def test_each_setting_that_is_named_is_one() -> None:
    settings = {f"{PREFIX}{each.name.upper()}" for each in fields(Policy)} | {f"{PREFIX}DATABASE_URL"}
    pages = [*REFERENCE.parent.rglob("*.md"), BACKEND / "migrations" / "README.md", BACKEND.parent / "README.md"]
    named = {each: re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", each.read_text(encoding="utf-8")) for each in pages}
    assert {each.name: unknown for each, said in named.items() if (unknown := {*said} - settings)} == {}
