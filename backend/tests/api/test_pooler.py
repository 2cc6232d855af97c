"""Promise: behind a PgBouncer in transaction mode everything works, with either driver, once the URL says so."""

import asyncio
from collections.abc import Awaitable, Iterator

import psycopg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from alembic_online.postgres.errors import ServerUnfit
from tests.alembic_command import Alembic
from tests.alembic_online.postgres.connection.connecting import PGBOUNCER
from tests.api.accounts import promote, signed_in, visitor
from tests.api.conftest import MakeApp
from tests.api.course import put_translation, small_course
from tests.api.pgbouncer import POOL, transaction_pooler
from tests.servers import server_directory

pytestmark = PGBOUNCER

HINTS = ["pgbouncer=true", "prepared_statement_cache_size=0"]
ROUNDS = (
    4  # eight requests each, for three server connections; on a busy machine many more outlast the API's own limits
)
VECTOR = [1.0] * 1536


@pytest.fixture
def pooled(migrated: str) -> Iterator[str]:
    with server_directory() as folder, transaction_pooler(migrated, folder) as url:
        yield url


async def everything_at_once(app: FastAPI, database: str) -> list[str]:
    """What failed of reads and writes of all kinds, from more clients than there are server connections."""
    async with signed_in(app, "admin") as administrator, signed_in(app, "student") as student, visitor(app) as api:
        promote(database, "admin")
        await small_course(administrator)
        await put_translation(administrator, "first/chapters/one", "de")
        chunks = {"chunks": [{"content": "one", "embedding": VECTOR}]}
        assert (await administrator.put("modules/first/chapters/one/embeddings", json=chunks)).status_code == 200
        answers = await asyncio.gather(*(request for _ in range(ROUNDS) for request in requests(api, student)))
        progress = (await student.get("modules/first/chapters/one/progress")).json()
        assert progress["progress_percentage"] == 50
    return [f"{answer.request.url}: {answer.text}" for answer in answers if answer.status_code != 200]


def requests(api: AsyncClient, student: AsyncClient) -> Iterator[Awaitable[Response]]:
    yield api.get("modules")
    yield api.get("modules/first")
    yield api.get("modules/first/chapters/one", params={"lang": "de"})
    yield student.get("modules/first")
    yield student.put("modules/first/chapters/one/progress", json={"progress_percentage": 50, "quiz_score": 1})
    yield student.get("progress")
    yield student.get("me")
    yield api.post("search", json={"text": "one", "vector": VECTOR})


@pytest.mark.parametrize("hint", HINTS)
async def test_reads_and_writes_share_few_server_connections(
    make_app: MakeApp, pooled: str, migrated: str, hint: str
) -> None:
    app = make_app(f"{pooled}&{hint}")
    async with app.router.lifespan_context(app):
        assert await everything_at_once(app, migrated) == []
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(migrated) as admin:
        [count] = admin.execute(others).fetchall()[0]
    assert 0 < count <= POOL, "they were really shared"


async def test_migrations_go_by_a_direct_url_and_say_so(pooled: str, migrated: str, alembic: Alembic) -> None:
    refusal = await asyncio.to_thread(lambda: alembic.refused(f"{pooled}&pgbouncer=true", "upgrade", "head"))
    assert (refusal.exit_code, "MIGRATION_DATABASE_URL" in refusal.stderr) == (ServerUnfit.exit_code, True)
    direct = alembic.having(MIGRATION_DATABASE_URL=migrated)
    said = await asyncio.to_thread(lambda: direct(f"{pooled}&pgbouncer=true", "upgrade", "head"))
    assert "Nothing to do" in said


async def test_psycopg_works_behind_it_too(make_app: MakeApp, pooled: str, migrated: str) -> None:
    app = make_app(f"{pooled}&pgbouncer=true".replace("postgresql://", "postgresql+psycopg://"))
    async with app.router.lifespan_context(app):
        assert await everything_at_once(app, migrated) == []
