"""`rebase` puts mine on top of theirs, tries both up and down, and says where the two touch the same thing."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, pool
from sqlalchemy.ext.asyncio import create_async_engine

from alembic_online.cli.main import main
from alembic_online.cli.verb import FINE, FOUND
from alembic_online.errors import RequestRefused
from alembic_online.postgres.scratch import read_place
from alembic_online.rebase import Branch, Rebased, find_branch, rebase, refuse_if_applied
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import Project

TABLE = 'op.create_table("books", sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.String(9)))'


@pytest.fixture
def forked(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A table, a column of theirs, and an index and a column of mine."""
    monkeypatch.setenv("DATABASE_URL", database)
    project.revision("001_books", None, TABLE, 'op.drop_table("books")')
    _column(project, "002_theirs", "001_books", "price")
    _column(project, "002_mine", "001_books", "pages")
    drop = 'op.drop_index("ix_title", "books")'
    project.revision("003_index", "002_mine", 'op.create_index("ix_title", "books", ["title"])', drop)
    return project


def _column(project: Project, revision: str, parent: str, name: str) -> None:
    add = f'op.add_column("books", sa.Column("{name}", sa.Integer))'
    project.revision(revision, parent, add, f'op.drop_column("books", "{name}")')


@pytest.fixture
def live(database: str) -> Iterator[Connection]:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        yield connection


def _rebase(project: Project, live: Connection) -> Rebased:
    opened = open_project(Config(project.folder / "alembic.ini"))
    branch = find_branch(opened.scripts, "002_mine", None, None)
    assert branch is not None
    return rebase(opened, branch, read_place(live))


def _files(project: Project) -> list[str]:
    return sorted(path.name for path in (project.folder / "versions").glob("*.py"))


def test_mine_follow_theirs_in_their_order_and_the_chain_has_one_head(
    forked: Project, live: Connection, database: str
) -> None:
    done = _rebase(forked, live)
    assert done.names == {"002_mine": "003_mine", "003_index": "004_index"}
    assert (done.clashes, done.problems, done.mentions) == ([], [], [])
    assert _files(forked) == ["001_books.py", "002_theirs.py", "003_mine.py", "004_index.py"]
    assert (forked.folder / "head.txt").read_text() == "004_index\n"
    forked.alembic(database, "upgrade", "head")
    assert "004_index (head)" in forked.alembic(database, "current")


def test_what_both_touch_is_said_although_the_order_is_fine(forked: Project, live: Connection) -> None:
    widen = 'op.alter_column("books", "title", type_=sa.{})'
    forked.revision("002_theirs", "001_books", widen.format("Text()"), widen.format("String(9)"))
    forked.revision("003_index", "002_mine", widen.format("String(20)"), widen.format("String(9)"))
    assert _rebase(forked, live).clashes == [
        "both touch books: column title: type varchar(9) -> varchar(20) (you); type varchar(9) -> text (they)"
    ]


def test_a_column_that_they_drop_and_i_index_is_said_and_the_round_trip_fails(
    forked: Project, live: Connection
) -> None:
    back = 'op.add_column("books", sa.Column("title", sa.String(9)))'
    forked.revision("002_theirs", "001_books", 'op.drop_column("books", "title")', back)
    done = _rebase(forked, live)
    assert done.clashes == ["you touch index books.ix_title, and they drop column books.title"]
    assert "004_index" in done.problems[0]


@pytest.mark.prove
def test_a_downgrade_that_does_not_undo_is_found(forked: Project, live: Connection) -> None:
    forked.revision("002_mine", "001_books", 'op.add_column("books", sa.Column("pages", sa.Integer))', "pass")
    before = {path.name: path.read_text() for path in (forked.folder / "versions").glob("*.py")}
    done = _rebase(forked, live)
    assert done.problems == [
        "the downgrade to 002_theirs left something else: books",
        "the downgrade to 002_theirs left something else:   column pages: added",
    ]
    assert done.undone
    assert {path.name: path.read_text() for path in (forked.folder / "versions").glob("*.py")} == before
    assert not (forked.folder / "head.txt").exists()


def test_the_command_tells_machines_and_keeps_the_names_if_it_is_told_to(
    forked: Project, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(forked.folder)
    forked.revision("002_mine", "001_books", 'op.add_column("books", sa.Column("pages", sa.Integer))', "pass")
    assert main(["rebase", "002_mine", "--json", "--keep"]) == FOUND
    said = json.loads(capsys.readouterr().out)
    assert (said["onto"], said["names"]) == ("002_theirs", {"002_mine": "003_mine", "003_index": "004_index"})
    assert (said["clashes"], len(said["problems"]), said["undone"]) == ([], 2, False)
    assert _files(forked) == ["001_books.py", "002_theirs.py", "003_mine.py", "004_index.py"]
    assert (main(["rebase", "--json"]), capsys.readouterr().out) == (FINE, "{}\n")


def test_one_that_is_applied_here_keeps_its_name(forked: Project, database: str) -> None:
    forked.alembic(database, "upgrade", "002_mine")
    opened = open_project(Config(forked.folder / "alembic.ini"))
    branch = find_branch(opened.scripts, "002_mine", None, None)
    assert branch is not None
    assert _refused(database, opened.scripts, branch) == (
        "002_mine is applied in this database, and would be unknown to it under another name."
    )
    forked.alembic(database, "downgrade", "001_books")
    assert _refused(database, opened.scripts, branch) is None


def _refused(database: str, scripts: ScriptDirectory, branch: Branch) -> str | None:
    async def ask() -> str | None:
        engine = create_async_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
        async with engine.connect() as connection:
            try:
                await refuse_if_applied(connection, scripts, branch)
            except RequestRefused as refusal:
                return refusal.problem
        return None

    return asyncio.run(ask())
