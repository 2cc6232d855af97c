"""The generated pages say what the code says, and the others name nothing that is not there."""

import re
from collections.abc import Iterator
from dataclasses import fields

import pytest

from alembic_online.policy import PREFIX, Policy
from tests.documents.generate import HOW, PAGES, REFERENCE, VERSION
from tests.documents.operations import operations
from tests.documents.pages import MADE_BY
from tests.paths import BACKEND
from tests.servers import Server

LONGEST = 25  # words of a sentence


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


def test_no_sentence_is_longer_than_anybody_reads_at_night() -> None:
    written = {each: each.read_text(encoding="utf-8") for each in REFERENCE.parent.rglob("*.md")}
    pages = {each.name: text for each, text in written.items() if MADE_BY not in text}
    long = [(name, each) for name, text in pages.items() for each in sentences(text) if len(each.split()) > LONGEST]
    assert long == []


def sentences(page: str) -> Iterator[str]:
    """What a page says in sentences: not its tables, nor its code; a word of code is one word, a link its text."""
    text = re.sub(r"```.*?```|<!--.*?-->", "", page, flags=re.DOTALL)
    for block in re.split(r"\n\s*\n|\n(?=\s*[-|#]|\s*\d+\. )", text):
        if not block.lstrip().startswith("|"):
            words = re.sub(r"`[^`]*`", "code", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(block.split())))
            yield from re.split(r"(?<=[.:?!;])\s+", words)


def test_each_setting_that_is_named_is_one() -> None:
    settings = {f"{PREFIX}{each.name.upper()}" for each in fields(Policy)} | {f"{PREFIX}DATABASE_URL"}
    pages = [*REFERENCE.parent.rglob("*.md"), BACKEND / "migrations" / "README.md", BACKEND.parent / "README.md"]
    named = {each: re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", each.read_text(encoding="utf-8")) for each in pages}
    assert {each.name: unknown for each, said in named.items() if (unknown := {*said} - settings)} == {}


@pytest.mark.parametrize("page", ["README.md", "backend/migrations/README.md"])
def test_the_links_of_a_page_beside_the_site_lead_somewhere(page: str) -> None:
    file = BACKEND.parent / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text(encoding="utf-8"))
    assert len(links) > 5
    assert [link for link in links if not (file.parent / link).exists()] == []
