"""Promise: the state of a database is told exactly, by reading only, for any project's revisions."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.connection.engine import async_engine, resolve_url
from alembic_online.review.status import SchemaState, SchemaStatus, schema_status
from tests.revision_files import chain, write_revisions


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[AsyncConnection]:
    engine = async_engine(resolve_url(url), application_name="test")
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def make_version_table(url: str, revisions: Iterable[str], name: str = "alembic_version") -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE TABLE "{name}" (version_num varchar(32) PRIMARY KEY)'.encode())
        for revision in revisions:
            connection.execute(f'INSERT INTO "{name}" VALUES (%s)'.encode(), [revision])


async def status_of(url: str, scripts: ScriptDirectory) -> SchemaStatus:
    async with connect(url) as connection:
        return await schema_status(connection, scripts)


async def test_a_database_at_the_head_is_ready(database: str, tmp_path: Path) -> None:
    make_version_table(database, ["r3"])
    status = await status_of(database, write_revisions(tmp_path, chain(3)))
    assert (status.state, status.current, status.heads, status.behind) == (SchemaState.READY, ("r3",), ("r3",), 0)


@pytest.mark.parametrize(("current", "behind"), [(["r4"], 1), (["r1"], 4), ([], 5)])
async def test_behind_counts_the_revisions_to_apply(
    database: str, tmp_path: Path, current: list[str], behind: int
) -> None:
    make_version_table(database, current)
    status = await status_of(database, write_revisions(tmp_path, chain(5)))
    assert (status.state, status.behind) == (SchemaState.BEHIND, behind)
    assert ("1 revision behind" if behind == 1 else f"{behind} revisions behind") in status.sentence
    assert "`alembic upgrade head`" in status.sentence


@pytest.mark.parametrize("unknown", ["from_the_future", "r", "head", "base"])
async def test_a_revision_that_the_code_does_not_have_is_ahead(database: str, tmp_path: Path, unknown: str) -> None:
    """Also one that Alembic would take for an abbreviation or a symbol."""
    make_version_table(database, [unknown])
    status = await status_of(database, write_revisions(tmp_path, chain(3)))
    assert (status.state, status.current, status.behind) == (SchemaState.AHEAD, (unknown,), 0)
    assert f"at {unknown}," in status.sentence
    assert "older than the database" in status.sentence


async def test_no_version_table_is_unversioned(database: str, tmp_path: Path) -> None:
    status = await status_of(database, write_revisions(tmp_path, chain(3)))
    assert (status.state, status.current, status.behind) == (SchemaState.UNVERSIONED, (), 3)
    assert "`alembic upgrade head`" in status.sentence
    assert "`alembic-online adopt`" in status.sentence


async def test_the_callers_transaction_may_be_read_only_and_goes_on_afterwards(database: str, tmp_path: Path) -> None:
    scripts = write_revisions(tmp_path, chain(1))
    async with connect(database) as connection:
        await connection.execute(text("SET TRANSACTION READ ONLY"))
        await schema_status(connection, scripts)
        assert await connection.scalar(text("SELECT 1")) == 1


async def test_a_null_in_the_version_table_is_no_revision(database: str, tmp_path: Path) -> None:
    make_version_table(database, [])
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("ALTER TABLE alembic_version DROP CONSTRAINT IF EXISTS alembic_version_pkey")
        admin.execute("ALTER TABLE alembic_version ALTER version_num DROP NOT NULL")
        admin.execute("INSERT INTO alembic_version VALUES (NULL)")
    status = await status_of(database, write_revisions(tmp_path, chain(1)))
    assert (status.state, status.current) == (SchemaState.BEHIND, ())


async def test_several_heads_in_the_code_have_diverged_until_all_are_applied(database: str, tmp_path: Path) -> None:
    scripts = write_revisions(tmp_path, {"base1": None, "left": "base1", "right": "base1"})
    make_version_table(database, ["left"])
    status = await status_of(database, scripts)
    assert (status.state, status.behind, status.heads) == (SchemaState.DIVERGED, 1, ("left", "right"))
    assert 'alembic merge -m "merge ' in status.sentence  # without a message it is refused
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("INSERT INTO alembic_version VALUES ('right')")
    assert (await status_of(database, scripts)).state is SchemaState.READY


async def test_two_heads_in_the_database_that_the_code_merges_are_behind(database: str, tmp_path: Path) -> None:
    merged = {"base1": None, "left": "base1", "right": "base1", "both": ("left", "right")}
    make_version_table(database, ["left", "right"])
    status = await status_of(database, write_revisions(tmp_path, merged))
    assert (status.state, status.behind, status.current) == (SchemaState.BEHIND, 1, ("left", "right"))


async def test_what_alembic_stamps_as_heads_is_ready_also_with_dependencies(database: str, tmp_path: Path) -> None:
    scripts = write_revisions(tmp_path, {"a1": None, "b1": None, "b2": "b1"}, depends_on={"b2": "a1"})
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        MigrationContext.configure(connection).stamp(scripts, "b2")
    engine.dispose()
    status = await status_of(database, scripts)
    assert (status.state, status.behind) == (SchemaState.READY, 0)


async def test_the_table_is_the_one_that_the_search_path_leads_to(database: str, tmp_path: Path) -> None:
    make_version_table(database, ["r1"])
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA tenant")
        admin.execute("CREATE TABLE tenant.alembic_version AS SELECT 'r2'::varchar AS version_num")
    scripts = write_revisions(tmp_path, chain(2))
    async with connect(database) as connection:
        await connection.execute(text("SET LOCAL search_path = tenant, public"))
        assert (await schema_status(connection, scripts)).state is SchemaState.READY
        await connection.execute(text("SET LOCAL search_path = public"))
        assert (await schema_status(connection, scripts)).state is SchemaState.BEHIND


async def test_a_version_table_may_have_any_name(database: str, tmp_path: Path) -> None:
    make_version_table(database, ["r1"], name="Our Versions")
    async with connect(database) as connection:
        status = await schema_status(connection, write_revisions(tmp_path, chain(1)), version_table="Our Versions")
    assert status.state is SchemaState.READY


async def test_widening_the_version_table_does_not_fail_a_connection_that_read_it_before(
    database: str, tmp_path: Path
) -> None:
    make_version_table(database, ["r1"])
    scripts = write_revisions(tmp_path, chain(1))
    async with connect(database) as connection:
        await schema_status(connection, scripts)
        await connection.rollback()
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute("ALTER TABLE alembic_version ALTER version_num TYPE varchar(255)")
        assert (await schema_status(connection, scripts)).state is SchemaState.READY
