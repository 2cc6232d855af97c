"""Promise: reads go to the replica, nobody misses what he has written himself, and a lost replica costs no answer."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from src.api.app import create_app
from src.settings import Settings
from tests.api.accounts import promote, signed_in, started, visitor
from tests.api.course import small_course
from tests.api.standby import Standby, standby
from tests.servers import Server

MINE = "modules/first/chapters/one/progress"


@pytest.fixture(scope="module")
def replica(server: Server, request: pytest.FixtureRequest) -> Iterator[Standby]:
    if request.config.option.database != "embedded":
        pytest.skip("a replica of the embedded server is made, not of others")
    with standby(server) as made:
        yield made


@pytest.fixture
async def served(migrated: str, replica: Standby) -> AsyncIterator[FastAPI]:
    """The application with a replica."""
    await replica.catch_up()
    app = create_app(Settings(migrated, migrated, replica_url=replica.url(migrated)))
    async with started(app):
        yield app


async def titles(client: AsyncClient) -> list[str]:
    answer = await client.get("modules")
    assert answer.status_code == 200, answer.text
    return [module["title"] for module in answer.json()["modules"]]


async def percentage(client: AsyncClient) -> int:
    answer = await client.get(MINE)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["progress_percentage"])


def change_behind_the_api(url: str, percentage: int) -> None:
    """A write that no client of the API has made, so that who sees it tells which server answered."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE chapter_progress SET progress_percentage = %s", [percentage])
        connection.execute("UPDATE modules SET title = %s", [f"at {percentage}"])


async def test_reads_follow_the_replica_but_never_miss_an_own_write(
    served: FastAPI, replica: Standby, migrated: str
) -> None:
    async with visitor(served) as api, signed_in(served, "ada") as ada, signed_in(served, "bob") as bob:
        promote(migrated, "ada")
        await small_course(ada)
        await bob.put(MINE, json={"progress_percentage": 10})
        await replica.catch_up()
        replica.pause()

        change_behind_the_api(migrated, 20)
        assert await titles(api) == ["first", "second"], "nobody's reads go to the replica, which is behind"
        assert await percentage(bob) == 10, "and so do those of who has signed in, since it has seen his last write"

        await bob.put(MINE, json={"progress_percentage": 30})
        assert await percentage(bob) == 30, "his own write he sees at once, which only the primary knows"
        assert await titles(bob) == ["at 20"] * 2
        assert await titles(api) == ["first", "second"]

        bob.cookies.clear()
        assert await percentage(bob) == 30, "without a position it is the primary that answers"

        await ada.put(MINE, json={"progress_percentage": 1})
        await replica.catch_up()
        replica.pause()
        change_behind_the_api(migrated, 40)
        assert await percentage(ada) == 1, "once it has caught up, the replica answers again"
        assert await titles(api) == ["at 20"] * 2


async def test_a_position_that_is_none_is_no_position(served: FastAPI, replica: Standby, migrated: str) -> None:
    async with signed_in(served, "ada") as ada:
        promote(migrated, "ada")
        await small_course(ada)
        await ada.put(MINE, json={"progress_percentage": 10})
        await replica.catch_up()
        replica.pause()
        change_behind_the_api(migrated, 20)
        ada.cookies.clear()
        for position in ("", "x", "0-0", "FFFFFFFFF/0", "FFFFFFFF/FFFFFFFF"):
            answer = await ada.get(MINE, headers={"Cookie": f"position={position}"})
            assert answer.json()["progress_percentage"] == 20, position


async def test_a_replica_that_has_not_seen_a_migration_yet_is_passed_over(
    served: FastAPI, replica: Standby, migrated: str
) -> None:
    async with visitor(served) as api, signed_in(served, "ada") as ada:
        promote(migrated, "ada")
        await small_course(ada)
        with psycopg.connect(migrated) as connection:  # the schema before the code's own revision
            connection.execute("ALTER TABLE modules RENAME COLUMN title TO name")
        await replica.catch_up()
        replica.pause()
        with psycopg.connect(migrated) as connection:
            connection.execute("ALTER TABLE modules RENAME COLUMN name TO title")
        assert await titles(api) == ["first", "second"]


# The last one, since the replica is gone afterwards.
async def test_a_lost_replica_costs_no_answer(served: FastAPI, replica: Standby, migrated: str) -> None:
    async with visitor(served) as api, signed_in(served, "ada") as ada:
        promote(migrated, "ada")
        await small_course(ada)
        await ada.put(MINE, json={"progress_percentage": 10})
        await replica.catch_up()
        assert await titles(api) == ["first", "second"]
        assert await percentage(ada) == 10
        replica.stop()
        change_behind_the_api(migrated, 20)
        assert await titles(api) == ["at 20"] * 2
        assert await percentage(ada) == 20
