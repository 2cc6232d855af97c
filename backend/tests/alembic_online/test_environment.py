"""env.py serves callers from code as well: with a connection of theirs, in a running loop, with their own loggers."""

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import Pool

from alembic_online.errors import DatabaseMismatch, RevisionFailed
from alembic_online.postgres.errors import ServerUnreachable
from alembic_online.runtime.history import BOOKKEEPING
from tests.alembic_command import Alembic
from tests.alembic_online.project import Project
from tests.paths import BACKEND

TABLE = 'op.create_table("books", sa.Column("id", sa.Integer))'


def config(project: Project) -> Config:
    return Config(project.folder / "alembic.ini")


def tables(connection: Connection) -> list[str]:
    """The tables in the schema public that are not the migrations' own."""
    names = connection.scalars(
        text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    )
    return sorted(set(names) - set(BOOKKEEPING))


def test_a_connection_that_is_passed_in_is_used_in_its_own_transaction(
    project: Project, connection: Connection
) -> None:
    project.revision("001_a", upgrade=TABLE)
    connection.execute(text("SELECT 1"))  # its transaction has begun
    settings = config(project)
    settings.attributes["connection"] = connection
    with patch.dict(os.environ, DATABASE_URL="postgresql://nobody@localhost:1/none"):
        command.upgrade(settings, "head")
    assert tables(connection) == ["books"]
    connection.rollback()
    assert tables(connection) == []


def test_a_stamp_on_a_connection_that_is_passed_in_is_compared_too(project: Project, connection: Connection) -> None:
    project.revision("001_a", upgrade=TABLE)
    settings = config(project)
    settings.attributes["connection"] = connection
    with patch.dict(os.environ, DATABASE_URL="postgresql://nobody@localhost:1/none"):
        with pytest.raises(DatabaseMismatch, match="table books: missing"):
            command.stamp(settings, "head")
        connection.rollback()
        connection.execute(text("CREATE TABLE books (id integer)"))
        command.stamp(settings, "head")
    assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "001_a"


def test_on_a_connection_that_is_in_no_transaction_each_revision_is_committed(
    project: Project, connection: Connection
) -> None:
    project.revision("001_a", upgrade=TABLE)
    project.revision("002_b", parent="001_a", upgrade="raise KeyError")
    settings = config(project)
    settings.attributes["connection"] = connection
    with patch.dict(os.environ, DATABASE_URL="postgresql://nobody@localhost:1/none"), pytest.raises(RevisionFailed):
        command.upgrade(settings, "head")
    connection.rollback()
    assert tables(connection) == ["books"]


def test_a_connection_of_asyncpg_is_passed_in_from_a_running_loop(project: Project, database: str) -> None:
    project.revision("001_a", upgrade=TABLE)

    def upgrade(connection: Connection) -> list[str]:
        settings = config(project)
        settings.attributes["connection"] = connection
        with patch.dict(os.environ, DATABASE_URL="postgresql://nobody@localhost:1/none"):
            command.upgrade(settings, "head")
        return tables(connection)

    async def go() -> list[str]:
        engine = create_async_engine(database.replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.begin() as connection:
            made = await connection.run_sync(upgrade)
        await engine.dispose()
        return made

    assert asyncio.run(go()) == ["books"]


def test_a_command_works_inside_a_running_loop(project: Project, database: str) -> None:
    project.revision("001_a", upgrade=TABLE)

    async def go() -> None:
        command.upgrade(config(project), "head")

    with patch.dict(os.environ, DATABASE_URL=database):
        asyncio.run(go())
    assert "Nothing to do" in project.alembic(database, "upgrade", "head")


def test_from_code_an_error_is_raised_and_the_process_goes_on(project: Project) -> None:
    project.revision("001_a")
    with (
        patch.dict(os.environ, DATABASE_URL="postgresql://nobody@localhost:1/none"),
        pytest.raises(ServerUnreachable, match="Nobody answers"),
    ):
        command.upgrade(config(project), "head")


def test_from_code_nobodys_loggers_are_touched(project: Project, database: str) -> None:
    mine = logging.getLogger("uvicorn.error")
    handlers, level = list(logging.getLogger().handlers), logging.getLogger("alembic").level
    with patch.dict(os.environ, DATABASE_URL=database):
        command.upgrade(config(project), "head")
    assert (mine.disabled, logging.getLogger().handlers, logging.getLogger("alembic").level) == (False, handlers, level)


def test_each_revision_has_a_transaction_of_its_own(project: Project, database: str) -> None:
    project.revision("001_a", upgrade=TABLE)
    project.revision("002_b", parent="001_a", upgrade='op.create_table("films"); op.execute("SELECT 1/0")')
    assert project.alembic.refused(database, "upgrade", "head").exit_code == 18
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert tables(connection) == ["books"]
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "001_a"
    engine.dispose()


def test_without_differences_autogenerate_writes_no_file(project: Project, database: str) -> None:
    assert "Nothing to write" in project.alembic(database, "revision", "--autogenerate", "-m", "more")
    assert list((project.folder / "versions").glob("*.py")) == []


MODELS = """
from pgvector.sqlalchemy import HALFVEC, VECTOR
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator

class Shout(TypeDecorator):
    impl = String(40)
    cache_ok = True

Table(
    "things", metadata,
    Column("id", postgresql.UUID, primary_key=True),
    Column("payload", postgresql.JSONB, server_default="{}", nullable=False),
    Column("tags", postgresql.ARRAY(String(20))),
    Column("near", VECTOR(3)),
    Column("half", HALFVEC(3)),
    Column("name", Shout),
    Column("span", postgresql.TSTZRANGE),
)
"""


def test_what_autogenerate_writes_runs_as_it_is(project: Project, connection: Connection, database: str) -> None:
    connection.execute(text("CREATE EXTENSION vector"))
    connection.commit()
    project.models(MODELS)
    project.alembic(database, "revision", "--autogenerate", "-m", "add things")
    written = (project.folder / "versions" / "001_add_things.py").read_text()
    assert "from pgvector.sqlalchemy import HALFVEC, Vector\n" in written
    assert "from sqlalchemy.dialects import postgresql\n" in written
    assert "Shout" not in written
    project.alembic(database, "upgrade", "head")
    assert "No new upgrade operations detected" in project.alembic(database, "check")
    project.alembic(database, "downgrade", "base")
    assert tables(connection) == []


def test_a_new_file_is_formatted(project: Project, database: str, tmp_path: Path) -> None:
    project.models('Table("books", metadata, Column("id", Integer, primary_key=True))')
    project.alembic(database, "revision", "--autogenerate", "-m", "add books")
    lines = (project.folder / "versions" / "001_add_books.py").read_text().splitlines()
    assert '        sa.PrimaryKeyConstraint("id"),' in lines or "    op.create_table(" in "\n".join(lines)
    assert max(map(len, lines)) <= 120
    assert not [line for line in lines if "'" in line and '"' not in line and "#" not in line]


ENUMS = """
from sqlalchemy import Enum
from sqlalchemy.dialects.postgresql import ARRAY

Table("paints", metadata, Column("colour", Enum("red", "dark blue", name="colour")))
Table("walls", metadata, Column("colour", Enum("red", "dark blue", name="colour")),
      Column("mood", ARRAY(Enum("it's fine", name="Mood"))))
"""


def test_enum_types_are_made_once_and_dropped_again(project: Project, database: str, connection: Connection) -> None:
    project.models(ENUMS)
    project.alembic(database, "revision", "--autogenerate", "-m", "add walls")
    for _ in range(2):
        project.alembic(database, "upgrade", "head")
        assert "No new upgrade operations detected" in project.alembic(database, "check")
        project.alembic(database, "downgrade", "base")
        assert connection.scalar(text("SELECT to_regtype('colour') IS NULL AND to_regtype('\"Mood\"') IS NULL"))
        connection.rollback()


@pytest.mark.prove
def test_a_new_column_of_a_type_that_is_there_makes_none(project: Project, database: str) -> None:
    project.models(ENUMS)
    project.alembic(database, "revision", "--autogenerate", "-m", "add walls")
    project.alembic(database, "upgrade", "head")
    column = 'Column("frame", Enum("red", "dark blue", name="colour")), Column("mood"'
    project.models(ENUMS.replace('Column("mood"', column))
    project.alembic(database, "revision", "--autogenerate", "-m", "add frames")
    assert "CREATE TYPE" not in (project.folder / "versions" / "002_add_frames.py").read_text()
    project.alembic(database, "upgrade", "head")
    project.alembic(database, "downgrade", "-1")
    project.alembic(database, "upgrade", "head")


def test_the_command_line_mutes_nobodys_loggers(alembic: Alembic, migrated: str) -> None:
    theirs = logging.getLogger("somebody.elses")
    alembic(migrated, "current")
    assert not theirs.disabled


def test_no_message_is_longer_than_eight_lines(project: Project, database: str) -> None:
    lines = "'a\\nb\\nc\\nd\\ne\\nf\\ng\\nh\\ni'"
    project.revision(
        "001_a", upgrade=f"from alembic_online.postgres import errors; raise errors.UserError('x', {lines})"
    )
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, len(stderr.splitlines())) == (1, 8)


def imported(project: Project, database: str, *arguments: str) -> set[str]:
    """The modules that a command of a process of its own has imported."""
    command = [sys.executable, "-X", "importtime", "-m", "alembic", *arguments]
    environment = {**os.environ, "DATABASE_URL": database, "PYTHONPATH": str(BACKEND)}
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=True)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.programs
def test_an_upgrade_pays_only_for_what_it_does(project: Project, database: str) -> None:
    project.revision("001_a", upgrade='op.create_table("authors", sa.Column("id", sa.Integer()))')
    project.revision("002_b", "001_a", upgrade='op.add_column("authors", sa.Column("born", sa.Integer()))')
    does_something = imported(project, database, "upgrade", "head")
    heavy = {"rich", "libcst", "alembic_online.autogenerate.writers", "alembic_online.backfill.run"}
    assert "alembic_online.runner.pipeline" in does_something
    assert not does_something & heavy
    does_nothing = imported(project, database, "upgrade", "head")
    assert not does_nothing & {*heavy, "alembic_online.runner", "alembic_online.recipes.step", "psycopg"}


def test_an_upgrade_with_nothing_to_do_opens_one_connection(project: Project, database: str) -> None:
    opened: list[object] = []

    def note(connection: object, _: object) -> None:
        opened.append(connection)

    project.revision("001_a", upgrade=TABLE)
    event.listen(Pool, "connect", note)
    try:
        for expected in (2, 1):
            opened.clear()
            project.alembic(database, "upgrade", "head")
            assert len(opened) == expected
    finally:
        event.remove(Pool, "connect", note)
