"""People of the tests: registered and signed in over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import psycopg
from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from src.db.services.passwords import Passwords

API = "http://syllabus/api/v1"
PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""What costs an attacker nothing costs the suite nothing either."""


@asynccontextmanager
async def started(app: FastAPI) -> AsyncIterator[FastAPI]:
    """The application, started, with passwords that take no time: a sound hash is a tenth of a second of a core."""
    async with app.router.lifespan_context(app):
        app.state.resources = replace(app.state.resources, passwords=Passwords(QUICK))
        yield app


@asynccontextmanager
async def visitor(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client that has not signed in; paths are relative to `/api/v1/`. An error nobody expected is raised."""
    async with AsyncClient(transport=ASGITransport(app), base_url=API) as client:
        yield client


@asynccontextmanager
async def signed_in(app: FastAPI, name: str) -> AsyncIterator[AsyncClient]:
    """A client of a new account, `<name>@example.org`."""
    async with visitor(app) as client:
        await register(client, name)
        await sign_in(client, name)
        yield client


async def register(client: AsyncClient, name: str) -> UUID:
    """The id of a new account."""
    account = {"email": f"{name}@example.org", "password": PASSWORD, "name": name}
    answer = await client.post("accounts", json=account)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def sign_in(client: AsyncClient, name: str, password: str = PASSWORD) -> dict[str, str]:
    """The tokens; `client` uses the access token from now on."""
    answer = await client.post("auth/token", data={"username": f"{name}@example.org", "password": password})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, str] = answer.json()
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    return tokens


def promote(url: str, name: str) -> None:
    """Make the account an administrator's, which only the database can do."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE users SET is_admin = true WHERE email = %s", [f"{name}@example.org"])
