"""The application under test, in this process and through HTTP's semantics."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from src.api.app import MIGRATIONS, create_app
from src.settings import Settings
from tests.api.accounts import promote, signed_in, started, visitor

MakeApp = Callable[..., FastAPI]


@pytest.fixture
def make_app() -> MakeApp:
    """`make_app(url)` is the application on that database; `migrations` may be another project's folder."""

    def make(url: str, migrations: Path = MIGRATIONS) -> FastAPI:
        return create_app(Settings(url, url), migrations=migrations)

    return make


@pytest.fixture
async def served(make_app: MakeApp, migrated: str) -> AsyncIterator[FastAPI]:
    """The application, started, on a database of this test's own at head (`migrated` is its URL)."""
    async with started(make_app(migrated)) as app:
        yield app


@pytest.fixture
async def api(served: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client that has not signed in; `await api.get("modules")` asks `/api/v1/modules`."""
    async with visitor(served) as client:
        yield client


@pytest.fixture
async def student(served: FastAPI) -> AsyncIterator[AsyncClient]:
    async with signed_in(served, "student") as client:
        yield client


@pytest.fixture
async def other_student(served: FastAPI) -> AsyncIterator[AsyncClient]:
    async with signed_in(served, "other") as client:
        yield client


@pytest.fixture
async def administrator(served: FastAPI, migrated: str) -> AsyncIterator[AsyncClient]:
    async with signed_in(served, "admin") as client:
        promote(migrated, "admin")
        yield client
