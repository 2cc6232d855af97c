"""Promise: a request is one transaction; what is answered with 200 is committed, and nothing else is."""

import asyncio

import psycopg
import pytest
from fastapi import FastAPI, HTTPException
from sqlalchemy import text

from src.api.dependencies.sessions import Engine, Scripts, Session
from tests.api.clients import running
from tests.api.conftest import MakeApp


@pytest.fixture
def app(make_app: MakeApp, database: str) -> FastAPI:
    """The application with routes that write, over a table whose constraint is checked at the commit."""
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("CREATE TABLE notes (body text CONSTRAINT one UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    app = make_app(database)

    @app.post("/notes/{body}")
    async def write(body: str, session: Session) -> str:
        await session.execute(text("INSERT INTO notes VALUES (:body)"), {"body": body})
        return body

    @app.post("/refused/{body}")
    async def refuse(body: str, session: Session) -> str:
        await session.execute(text("INSERT INTO notes VALUES (:body)"), {"body": body})
        raise HTTPException(409, "refused")

    @app.get("/held")
    async def held(engine: Engine, scripts: Scripts) -> dict[str, list[str] | int]:
        async with engine.connect() as connection:
            return {"answer": await connection.scalar(text("SELECT 42")) or 0, "heads": list(scripts.get_heads())}

    return app


def notes(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [str(row[0]) for row in connection.execute("SELECT body FROM notes ORDER BY body")]


async def test_what_is_answered_with_200_is_committed(app: FastAPI, database: str) -> None:
    async with running(app) as client:
        assert (await client.post("/notes/a")).status_code == 200
        assert notes(database) == ["a"]


async def test_a_commit_that_fails_is_not_answered_with_200(app: FastAPI, database: str) -> None:
    async with running(app) as client:
        await client.post("/notes/a")
        assert (await client.post("/notes/a")).status_code == 409
        assert notes(database) == ["a"]


async def test_a_route_that_raises_is_rolled_back(app: FastAPI, database: str) -> None:
    async with running(app) as client:
        assert (await client.post("/refused/a")).status_code == 409
        assert notes(database) == []


async def test_more_requests_than_connections_wait_for_each_other(app: FastAPI, database: str) -> None:
    async with running(app) as client:
        answers = await asyncio.gather(*(client.post(f"/notes/{number}") for number in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(notes(database)) == 40


async def test_connections_that_died_while_idle_cost_no_request(app: FastAPI, database: str) -> None:
    async with running(app) as client:
        await asyncio.gather(*(client.post(f"/notes/{number}") for number in range(20)))
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await client.get("/readyz")  # the server's farewell arrives with the next packet, as it does in a server
        answers = await asyncio.gather(*(client.post(f"/notes/again-{number}") for number in range(20)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_route_may_ask_for_the_engine_and_the_revisions(app: FastAPI) -> None:
    async with running(app) as client:
        answer = (await client.get("/held")).json()
    assert answer["answer"] == 42
    assert len(answer["heads"]) == 1
