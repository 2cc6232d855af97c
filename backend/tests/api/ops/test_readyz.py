"""Promise: /readyz is 200 only when the database is where the code wants it, and otherwise says where it is."""

import asyncio
from functools import partial
from pathlib import Path

import psycopg
import pytest
from httpx import AsyncClient

from tests.alembic_online.project import Project, make_project, project
from tests.api.clients import not_ready, running
from tests.api.conftest import MakeApp
from tests.revision_files import chain, write_revisions
from tests.sessions import session

__all__ = ["project"]


def head_of(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row is not None
    return str(row[0])


def make_version_table(url: str, *revisions: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        for revision in revisions:
            connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision])


async def test_a_migrated_database_is_ready(make_app: MakeApp, migrated: str) -> None:
    async with running(make_app(migrated)) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "revision": head_of(migrated)})


@pytest.mark.parametrize(("current", "behind"), [(["r4"], 1), (["r2"], 3), ([], 5)])
async def test_behind_says_by_how_many_revisions(
    make_app: MakeApp, database: str, tmp_path: Path, current: list[str], behind: int
) -> None:
    make_version_table(database, *current)
    write_revisions(tmp_path, chain(5))
    async with running(make_app(database, tmp_path)) as client:
        problem = await not_ready(client)
    assert (problem["reason"], problem["behind"], problem["head"]) == ("behind", behind, "r5")
    assert problem.get("revision") == (current[0] if current else None)
    assert "`alembic upgrade head`" in problem["detail"]


async def test_a_revision_that_the_code_does_not_have_is_ahead(make_app: MakeApp, migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as admin:
        admin.execute("UPDATE alembic_version SET version_num = '900_from_the_future'")
    async with running(make_app(migrated)) as client:
        problem = await not_ready(client)
    assert (problem["reason"], problem["revision"]) == ("ahead", "900_from_the_future")
    assert "behind" not in problem


async def test_an_empty_database_is_unversioned(make_app: MakeApp, database: str) -> None:
    async with running(make_app(database)) as client:
        assert (await not_ready(client))["reason"] == "unversioned"


async def test_several_heads_in_the_code_are_diverged(make_app: MakeApp, database: str, tmp_path: Path) -> None:
    make_version_table(database, "r1")
    write_revisions(tmp_path, {"r1": None, "left": "r1", "right": "r1"})
    async with running(make_app(database, tmp_path)) as client:
        problem = await not_ready(client)
    assert (problem["reason"], problem["head"], problem["behind"]) == ("diverged", "left, right", 2)


async def test_the_answer_follows_the_database_without_a_restart(
    make_app: MakeApp, database: str, tmp_path: Path
) -> None:
    write_revisions(tmp_path, chain(2))
    async with running(make_app(database, tmp_path)) as client:
        assert (await not_ready(client))["reason"] == "unversioned"
        make_version_table(database, "r1")
        assert (await not_ready(client))["behind"] == 1
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute("UPDATE alembic_version SET version_num = 'r2'")
        assert (await client.get("/readyz")).status_code == 200


async def test_a_release_is_ready_one_expand_ahead_of_it_and_before_its_own_contract(
    make_app: MakeApp, database: str, tmp_path: Path
) -> None:
    releases = {"old": ("one",), "new": ("one", "two", "three")}
    made = {}
    for release, revisions in releases.items():
        folder = tmp_path / release
        folder.mkdir()
        made[release] = make_project(folder)
        for revision, parent in zip(revisions, (None, *revisions), strict=False):
            made[release].revision(revision, parent, phase="contract" if revision == "three" else "expand")
    upgrade = partial(made["new"].alembic.having(MIGRATION_EXPAND_CONTRACT="on"), database, "upgrade")
    async with (
        running(make_app(database, made["old"].folder)) as old,
        running(make_app(database, made["new"].folder)) as new,
    ):
        await asyncio.to_thread(upgrade, "one")
        assert (await old.get("/readyz")).json() == {"status": "ready", "revision": "one"}
        assert (await not_ready(new))["detail"].endswith("The database lacks two, which the code needs.")
        await asyncio.to_thread(upgrade, "two")
        assert (await old.get("/readyz")).json() == {"status": "ready", "revision": "two", "head": "one"}
        assert (await new.get("/readyz")).json() == {"status": "ready", "revision": "two", "head": "three"}
        await asyncio.to_thread(made["new"].alembic.having(), database, "upgrade", "three")
        assert (await not_ready(old))["detail"].endswith(
            "The database has three (contract), which the code does not know."
        )
        assert (await new.get("/readyz")).json() == {"status": "ready", "revision": "three"}


async def test_openapi_shows_both_answers_and_the_docs_work(make_app: MakeApp, database: str) -> None:
    async with running(make_app(database)) as client:
        answers = (await client.get("/openapi.json")).json()["paths"]["/readyz"]["get"]["responses"]
        docs = await client.get("/docs")
    assert set(answers) == {"200", "503"}
    assert answers["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Ready")
    members = answers["503"]["content"]["application/problem+json"]["schema"]["properties"]
    assert set(members["reason"]["enum"]) == {"unreachable", "behind", "ahead", "unversioned", "diverged"}
    assert "/openapi.json" in docs.text


async def test_a_running_migration_is_reported_with_its_revision(
    make_app: MakeApp, database: str, project: Project
) -> None:
    gate = "op.execute('SELECT pg_advisory_lock(4711)')"  # the test holds it, and so decides how long it takes
    project.revision("001_first")
    project.alembic(database, "upgrade", "head")
    project.revision("002_slow", parent="001_first", upgrade=gate)
    async with running(make_app(database, project.folder)) as client, session(database) as holder:
        await holder.execute("SELECT pg_advisory_lock(4711)")
        upgrade = asyncio.create_task(asyncio.to_thread(project.alembic, database, "upgrade", "head"))
        while "migration" not in (problem := await not_ready(client)) or not problem["migration"].get("step"):
            assert not upgrade.done()
        assert (problem["reason"], problem["migration"]["revision"]) == ("behind", "002_slow")
        assert problem["migration"]["step"] == "1: SELECT pg_advisory_lock(?)"
        await holder.execute("SELECT pg_advisory_unlock(4711)")
        await upgrade


async def test_what_was_changed_by_hand_is_said_and_requests_go_on(make_app: MakeApp, migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as admin:
        admin.execute("DROP INDEX ix_modules_position_id")
    async with running(make_app(migrated)) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["revision"]) == (200, head_of(migrated))
    assert answer.json()["changed_by_hand"].endswith(": index.")


async def test_many_probes_at_once_are_all_answered(make_app: MakeApp, migrated: str) -> None:
    async def ask(client: AsyncClient) -> set[int]:
        return {(await client.get("/readyz")).status_code for _ in range(20)}

    async with running(make_app(migrated)) as client:
        answers = await asyncio.gather(*(ask(client) for _ in range(10)))
    assert set[int]().union(*answers) == {200}
