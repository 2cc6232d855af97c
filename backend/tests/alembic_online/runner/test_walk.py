"""How far it is from an operation to the statement that is sent, for somebody who reads or steps through the code."""

import re

import psycopg
import pytest

from alembic_online.runner.safeguards import SAFEGUARDS
from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import BOOKS
from tests.alembic_online.runner import walk
from tests.paths import BACKEND

_OPERATIONS = {
    "an index on a large table": ("CREATE INDEX", 'op.create_index("ix_a", "books", ["title"])', "0"),
    "a column of a small table": ("ALTER TABLE books", 'op.add_column("books", sa.Column("note", sa.Text))', "1e6"),
    "rows": ("UPDATE books", 'op.execute("UPDATE books SET pages = 1")', "1e6"),
}


@pytest.mark.parametrize(("words", "line", "small"), _OPERATIONS.values(), ids=_OPERATIONS)
def test_a_statement_passes_few_files_and_hardly_ever_climbs_back(
    project: Project, database: str, words: str, line: str, small: str
) -> None:
    with psycopg.connect(database) as session:
        session.execute(BOOKS)
    begin = f'from tests.alembic_online.runner import walk\n    with walk.of("{words}"):\n        {line}'
    project.revision("001_a", upgrade=begin)
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small)(database, "upgrade", "head")
    taken = walk.walks.pop()
    assert 5 < len(taken.path) <= 10, taken.path
    assert len(taken.climbs) <= 2, taken.climbs
    assert len(taken.files) <= 32, taken.files


def test_the_order_of_the_safeguards_is_that_of_the_documents() -> None:
    page = (BACKEND.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \d+ \| `(\w+)` \|", page.partition("## What happens to one operation")[2], re.MULTILINE)
    assert listed == [each.__name__ for each in SAFEGUARDS]
