"""A chain of a hundred revisions is walked, and not replayed: it takes as many databases as a chain of two."""

from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config

from alembic_online.postgres.scratch import in_scratch
from alembic_online.revisions.project import open_project
from alembic_online.testing import Kit
from tests.alembic_online.project import Project, make_project

TABLE = 'op.create_table("books", sa.Column("id", sa.Integer, primary_key=True))'


def _chain(folder: Path, length: int) -> Project:
    """The first revision makes a table, each other one adds a column."""
    folder.mkdir()
    made = make_project(folder)
    columns = [f"c{number}" for number in range(2, length + 1)]
    written = "".join(f', Column("{column}", Integer)' for column in columns)
    made.models(f'Table("books", metadata, Column("id", Integer, primary_key=True){written})')
    made.revision("001_books", None, TABLE, 'op.drop_table("books")')
    before = "001_books"
    for number, column in enumerate(columns, 2):
        add, drop = f'op.add_column("books", sa.Column("{column}", sa.Integer))', f'op.drop_column("books", "{column}")'
        made.revision(f"{number:03d}_{column}", before, add, drop)
        before = f"{number:03d}_{column}"
    return made


def _databases(project: Project, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many scratch databases the whole kit makes of it; it finds nothing."""
    made = 0

    def counted(*arguments: Any, **options: Any) -> object:
        nonlocal made
        made += 1
        return in_scratch(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr("alembic_online.testing.sandbox.in_scratch", counted)
        assert Kit(open_project(Config(project.folder / "alembic.ini"))).examine() == []
    return made


@pytest.mark.prove
@pytest.mark.timeout(360)  # seconds: half a minute, where the machine has nothing else to do
def test_a_hundred_revisions_take_as_many_databases_as_two(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    few = _databases(_chain(tmp_path / "two", 2), monkeypatch)
    assert few > 0
    assert _databases(_chain(tmp_path / "hundred", 100), monkeypatch) == few
