"""Promise: each release knows the revisions of the database that it can serve, also those whose files it lacks."""

import asyncio
import json
import os
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from alembic_online.releases.phase import Phase, Step
from alembic_online.releases.stored import read
from alembic_online.releases.window import why_not
from tests import forked_programs
from tests.alembic_online.cli.running import verb
from tests.alembic_online.project import Project, make_project
from tests.alembic_online.releases.shop import CONTRACT, EXPAND, ON, make_shop, running

E, C = Phase.EXPAND, Phase.CONTRACT
CHAIN = {
    "one": Step((), E),
    "two": Step(("one",), E),
    "three": Step(("two",), C),
    "four": Step(("three",), None),
    "left": Step(("two",), E),
    "both": Step(("three", "left"), E),
}


@pytest.mark.parametrize(
    ("built_for", "current", "because"),
    [
        ("two", "two", ""),
        ("one", "two", ""),
        ("three", "two", ""),
        ("two", "three", "The database has three (contract), which the code does not know."),
        ("one", "three", "The database has three (contract), which the code does not know."),
        ("two", "one", "The database lacks two, which the code needs."),
        ("three", "one", "The database lacks two, which the code needs."),
        ("three", "four", "The database has four (which says no phase), which the code does not know."),
        ("four", "three", "The database lacks four, which the code needs."),
        ("three", "left", ""),
        ("left", "three", "The database lacks left, which the code needs."),
        ("both", "left", "The database lacks both, which the code needs."),
        ("two", "unheard_of", "Neither the files nor the database know unheard_of."),
        ("unheard_of", "two", "Neither the files nor the database know unheard_of."),
    ],
)
def test_what_code_can_serve(built_for: str, current: str, because: str) -> None:
    assert why_not(CHAIN, [built_for], [current]) == because


@pytest.fixture
def shop(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name, value in ON.items():
        monkeypatch.setenv(name, value)
    return make_shop(project)


@pytest.fixture
def older(tmp_path: Path) -> Project:
    """The release before, which has no more than the first revision."""
    folder = tmp_path / "older"
    folder.mkdir()
    made = make_shop(make_project(folder))
    for later in ("two", "three"):
        (folder / "versions" / f"{later}.py").unlink()
    return made


async def said(shop: Project, url: str, *arguments: str) -> tuple[int, str]:
    code, printed, errors = await verb(url, *arguments, folder=shop.folder)
    assert not errors
    return code, printed.strip()


async def test_a_release_judges_by_the_files_it_lacks(shop: Project, older: Project, database: str) -> None:
    await asyncio.to_thread(shop.alembic.having(**ON), database, "upgrade", "two")
    for release in (shop, older):
        assert await said(release, database, "can-run", "one") == (
            0,
            "Code that was built for one can serve the database, which is at two.",
        )
        assert (await said(release, database, "can-run", "three"))[0] == 0
    assert (await said(older, database, "wait", "--timeout", "0"))[0] == 0
    await asyncio.to_thread(shop.alembic.having(**ON), database, "upgrade", "three")
    for release in (shop, older):
        code, printed = await said(release, database, "can-run", "one", "--json")
        assert (code, json.loads(printed)["reason"]) == (
            1,
            "The database has three (contract), which the code does not know.",
        )
    assert (await said(older, database, "wait", "--timeout", "0"))[0] == 1


async def test_waiting_ends_when_the_code_can_serve_the_database_and_needs_no_right_but_to_read(
    shop: Project, database: str, tmp_path: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS window_reader")
        connection.execute("CREATE ROLE window_reader LOGIN")
    await asyncio.to_thread(shop.alembic.having(**ON), database, "upgrade", "one")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO window_reader")
    reader = database.replace("postgres:@", "window_reader:@")
    assert "window_reader" in reader
    code, printed = await said(shop, reader, "wait", "--timeout", "0.1")
    assert code == 1
    assert "The database lacks two, which the code needs." in printed
    for place, words in enumerate((["wait"], ["wait", "two"])):
        waiting = forked_programs.start(
            "alembic_online.__main__",
            [*words, "--timeout", "60"],
            folder=shop.folder,
            environment={**os.environ, "DATABASE_URL": reader},
            log=tmp_path / f"{place}.log",
        )
        waiting.says("Waiting: ")
        await asyncio.to_thread(shop.alembic.having(**ON), database, "upgrade", "two")
        assert waiting.exit_code() == 0
        await asyncio.to_thread(shop.alembic.having(**ON), database, "downgrade", "one")


async def test_contract_waits_though_env_py_does_not_ask_for_it_and_refuses_a_database_that_is_ahead(
    shop: Project, database: str
) -> None:
    await asyncio.to_thread(shop.alembic.having(**ON), database, "upgrade", "two")
    with running(database, "6", "one"):
        assert (await verb(database, "contract", folder=shop.folder))[0] == 1
    with psycopg.connect(database, autocommit=True) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("two",)
        connection.execute("UPDATE alembic_version SET version_num = 'of_newer_code'")
    code, _, problem = await verb(database, "contract", folder=shop.folder)
    assert code == 2
    assert "The database is at of_newer_code, which this code does not have" in problem


async def test_two_chains_in_one_schema_keep_their_phases_apart(shop: Project, database: str) -> None:
    await asyncio.to_thread(shop.alembic.having(**ON), database, "upgrade", "head")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO alembic_phase SELECT 'versions_of_others', revision, parents, 'expand' FROM alembic_phase"
        )
    engine = create_async_engine(database.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as asking:
        kept = await asking.run_sync(read, ("alembic_version", None))
    await engine.dispose()
    assert {revision: step.phase for revision, step in kept.items()}["three"] == "contract"


async def test_contract_finishes_what_is_due_and_no_more(shop: Project, database: str) -> None:
    shop.revision("four", "three", *EXPAND[::-1], phase="expand")
    await asyncio.to_thread(shop.alembic.having(**ON), database, "upgrade", "one")
    assert await said(shop, database, "contract") == (0, "No contract is due.")
    await asyncio.to_thread(shop.alembic.having(**ON), database, "upgrade", "two")
    assert await said(shop, database, "contract", "--dry-run") == (1, "Due: three.")
    with running(database, "6", "one"):
        assert (await verb(database, "contract", folder=shop.folder))[0] == 1
    code, printed, _ = await verb(database, "contract", folder=shop.folder)
    assert (code, printed) == (0, "")
    assert CONTRACT[0]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("three",)
