"""The application under test, in this process and through HTTP's semantics."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI

from src.api.app import MIGRATIONS, create_app
from src.settings import Settings

MakeApp = Callable[..., FastAPI]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def make_app() -> MakeApp:
    """`make_app(url)` is the application on that database; `migrations` may be another project's folder."""

    def make(url: str, migrations: Path = MIGRATIONS) -> FastAPI:
        return create_app(Settings(url, url), migrations=migrations)

    return make
