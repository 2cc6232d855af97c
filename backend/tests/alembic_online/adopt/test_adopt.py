"""A project of plain Alembic, and a database in any state: what is found is said, and done when told `--yes`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.alembic_online.own_project import OwnProject
from tests.alembic_online.shop import TEMPLATE

ENV = """\
import os
from alembic import context
from models import metadata
from sqlalchemy import create_engine, pool

target_metadata = metadata
url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, target_metadata=target_metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
MODELS = """\
from sqlalchemy import Column, Index, Integer, MetaData, String, Table

metadata = MetaData()
Table("books", metadata, Column("id", Integer, primary_key=True), Column("title", String(9)), Index("ix", "title"))
Table("authors", metadata, Column("id", Integer, primary_key=True))
"""
CHAIN = {
    "aa1": (None, "CREATE TABLE books (id serial PRIMARY KEY, title varchar(9))"),
    "bb2": ("aa1", "CREATE TABLE authors (id serial PRIMARY KEY)"),
    "cc3": ("bb2", "CREATE INDEX ix ON books (title)"),
}
REVISION = """\
from alembic import op

revision, down_revision = {0!r}, {1!r}

def upgrade():
    op.execute({2!r})

def downgrade():
    pass
"""
FIRST, SECOND, THIRD = (sql for _, sql in CHAIN.values())
STAMPED = (
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('{}')"
)


@dataclass(frozen=True)
class Case:
    """A database, what is said of it, and where it is afterwards."""

    made: tuple[str, ...]
    said: str
    stamped: tuple[str, ...]
    found: tuple[int, int] = (1, 0)
    """The exit codes: of the look, and with `--yes`."""
    options: tuple[str, ...] = ()


CASES = {
    "made by create_all at the first revision": Case((FIRST,), "is what aa1 makes; it is not stamped", ("aa1",)),
    "made by create_all at the second revision": Case((FIRST, SECOND), "is what bb2 makes; it is not", ("bb2",)),
    "made by create_all at head": Case((FIRST, SECOND, THIRD), "is what cc3 makes; it is not stamped", ("cc3",)),
    "at a revision and its stamp lost": Case(
        (FIRST, SECOND, STAMPED.format("x"), "DELETE FROM alembic_version"), "is what bb2 makes", ("bb2",)
    ),
    "at its revision": Case((FIRST, STAMPED.format("aa1")), "is at aa1, and is what that makes", ("aa1",)),
    "stamped too high": Case((FIRST, STAMPED.format("cc3")), "what aa1 makes; it is stamped with cc3", ("aa1",)),
    "stamped too low": Case((FIRST, SECOND, STAMPED.format("aa1")), "bb2 makes; it is stamped with aa1", ("bb2",)),
    "stamped and empty": Case((STAMPED.format("aa1"),), "no revision at all (base)", ()),
    "half made": Case(
        (FIRST, "CREATE TABLE authors ()"), "is what bb2 makes, but for a part of it that is missing.", (), found=(1, 1)
    ),
    "changed by hand": Case(
        (FIRST, SECOND, THIRD, STAMPED.format("cc3"), "ALTER TABLE books ALTER title TYPE text"),
        "ALTER TABLE books ALTER COLUMN title TYPE VARCHAR(9)",
        ("cc3",),
        found=(1, 1),
    ),
    "changed by hand and not stamped": Case(
        (FIRST, "ALTER TABLE books ADD note text"), "column note: should not be there", (), found=(1, 1)
    ),
    "tables of others": Case(
        (FIRST, "CREATE TABLE legacy_a (id int); CREATE TABLE legacy_b (id int)"),
        'declare(target_metadata, LeaveAlone("legacy_*"))',
        ("aa1",),
        options=("--leave-alone", "legacy_*"),
    ),
    "tables of another chain": Case(
        (FIRST, STAMPED.format("zz9").replace("alembic_version", "their_version"), "CREATE TABLE theirs (id int)"),
        "is what aa1 makes; it is not stamped",
        ("aa1",),
        options=("--leave-alone", "theirs", "--leave-alone", "their_version"),
    ),
    "empty": Case((), "The database is empty", ()),
    "ahead of the code": Case(
        (FIRST, STAMPED.format("dd4")), "is at dd4, which these revision files do not have", ("dd4",)
    ),
    "another schema": Case(
        ("CREATE SCHEMA shop", "SET search_path = shop", FIRST, SECOND), "is what bb2 makes; it is not", ("bb2",)
    ),
}


def make(folder: Path, url: str, chain: Mapping[str, tuple[str | None, str]] = CHAIN) -> OwnProject:
    """A plain project."""
    (folder / "versions").mkdir()
    ini = ("[alembic]", "script_location = %(here)s", "prepend_sys_path = .", "path_separator = os")
    (folder / "alembic.ini").write_text("\n".join(ini))
    (folder / "script.py.mako").write_text(TEMPLATE.read_text())
    (folder / "models.py").write_text(MODELS)
    (folder / "env.py").write_text(ENV)
    for revision, (parent, sql) in chain.items():
        (folder / "versions" / f"{revision}_.py").write_text(REVISION.format(revision, parent, sql))
    return OwnProject(folder, url)


@pytest.fixture
def session(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connected:
        yield connected


def stamps(session: psycopg.Connection) -> tuple[str, ...]:
    if session.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return ()
    return tuple(sorted(str(row[0]) for row in session.execute("SELECT version_num FROM alembic_version")))


@pytest.mark.parametrize("name", CASES)
def test_a_database_in_any_state_is_brought_under_revisions_or_named(
    tmp_path: Path, database: str, session: psycopg.Connection, name: str
) -> None:
    case, project = CASES[name], make(tmp_path, database)
    for statement in case.made:
        session.execute(statement.encode())
    if name == "another schema":
        session.execute(
            b"DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = shop', current_database()); END$$"
        )
    before = stamps(session)
    looked = project("alembic_online", "adopt", *case.options, code=case.found[0])
    assert case.said in looked
    assert "+    with online(context):" in looked
    assert (stamps(session), (tmp_path / "env.py").read_text()) == (before, ENV)
    project("alembic_online", "adopt", "--yes", *case.options, code=case.found[1])
    assert stamps(session) == case.stamped
    assert "with online(context):" in (tmp_path / "env.py").read_text()
    if case.found == (1, 0) and case.stamped != ("dd4",):  # it is under revisions: all else goes on from there
        project("alembic", "upgrade", "head")
        assert stamps(session) == ("cc3",)
        project("alembic", "check")
        assert "by hand" not in project("alembic", "current")


def test_the_repair_that_is_printed_brings_it_to_its_revision(
    tmp_path: Path, database: str, session: psycopg.Connection
) -> None:
    project = make(tmp_path, database)
    session.execute(f"{FIRST}; CREATE TABLE authors ()".encode())
    said = project("alembic_online", "adopt", "--yes", code=1)
    session.execute(said.partition("This would repair it:")[2].partition("Done:")[0].encode())
    project("alembic_online", "adopt", "--yes")
    assert stamps(session) == ("bb2",)


@pytest.mark.prove
def test_where_rows_alone_differ_somebody_says_which_revision_it_is(
    tmp_path: Path, database: str, session: psycopg.Connection
) -> None:
    rows = "UPDATE books SET title = 'x'"
    project = make(tmp_path, database, {"aa1": CHAIN["aa1"], "bb2": ("aa1", rows), "cc3": ("bb2", rows)})
    session.execute(FIRST.encode())
    assert "aa1, bb2 or cc3" in project("alembic_online", "adopt", "--yes", code=1).replace(" or bb2 or", ", bb2 or")
    assert stamps(session) == ()
    said = project("alembic_online", "adopt", "--yes", "--revision", "dd4", code=2)
    assert "and not what dd4 makes" in said
    assert stamps(session) == ()
    project("alembic_online", "adopt", "--yes", "--revision", "bb2")
    assert stamps(session) == ("bb2",)


def test_two_heads_that_are_applied_are_two_stamps(tmp_path: Path, database: str, session: psycopg.Connection) -> None:
    project = make(tmp_path, database, {**CHAIN, "cc3": ("aa1", THIRD)})
    session.execute(f"{FIRST}; {SECOND}; {THIRD}".encode())
    assert "is what bb2 and cc3 makes" in project("alembic_online", "adopt", code=1)
    project("alembic_online", "adopt", "--yes")
    assert stamps(session) == ("bb2", "cc3")
    session.execute("DELETE FROM alembic_version WHERE version_num = 'bb2'; DROP TABLE authors")
    found = json.loads(project("alembic_online", "adopt", "--json"))
    assert (found["state"], found["stamp"], found["env.py"]) == ("at its revision", None, "")


def test_tables_and_no_revision_files_get_a_first_revision_that_makes_the_same(
    tmp_path: Path, database: str, session: psycopg.Connection
) -> None:
    project = make(tmp_path, database, {})
    session.execute(
        f"{FIRST}; {SECOND}; {THIRD}; CREATE TYPE mood AS ENUM ('good'); ALTER TABLE books ADD m mood".encode()
    )
    session.execute(
        "CREATE VIEW names AS SELECT title FROM books; COMMENT ON TABLE books IS 'b'; INSERT INTO books VALUES (1)"
    )
    assert "a first revision is written" in project("alembic_online", "adopt", code=1)
    assert list((tmp_path / "versions").glob("*.py")) == []
    project("alembic_online", "adopt", "--yes")
    [written] = (tmp_path / "versions").glob("*.py")
    assert stamps(session) == (written.name.partition("_")[0],)
    assert "Nothing to do" in project("alembic", "upgrade", "head")
    assert "holds what" in project("alembic_online", "drift")


def test_whose_tables_they_are_is_asked_once(tmp_path: Path, database: str, session: psycopg.Connection) -> None:
    project = make(tmp_path, database)
    session.execute(f"{FIRST}; CREATE TABLE strangers (id int)".encode())
    said = project("alembic_online", "adopt", "--yes", code=2)
    assert "--leave-alone strangers" in said
    assert stamps(session) == ()
    project("alembic_online", "adopt", "--yes", "--leave-alone", "strangers")
    assert "strangers" not in project("alembic_online", "adopt")
    assert "strangers" not in project("alembic", "upgrade", "head")
    assert "No new upgrade operations detected" in project("alembic", "check")


def test_an_env_py_that_cannot_be_changed_is_left_and_the_line_is_shown(tmp_path: Path, database: str) -> None:
    project = make(tmp_path, database)
    odd = ENV.replace("with context.begin_transaction():", "begun = context.begin_transaction()\n    with begun:")
    (tmp_path / "env.py").write_text(odd)
    assert "with online(context):" in project("alembic_online", "adopt", "--yes", code=2)
    assert (tmp_path / "env.py").read_text() == odd


def test_tables_and_no_revision_are_sent_to_this_command(
    tmp_path: Path, database: str, session: psycopg.Connection
) -> None:
    project = make(tmp_path, database)
    project.adopt()
    session.execute(FIRST.encode())
    assert "alembic-online adopt" in project("alembic", "upgrade", "head", code=15)


def test_a_chain_may_begin_with_tables_that_are_older_than_it(
    tmp_path: Path, database: str, session: psycopg.Connection
) -> None:
    project = make(tmp_path, database, {"aa1": (None, "ALTER TABLE books ADD note text")})
    project.adopt()
    session.execute(FIRST.encode())
    project("alembic", "upgrade", "head")
    assert stamps(session) == ("aa1",)
    session.execute("SELECT note FROM books")
