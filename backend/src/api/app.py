"""The application, put together: `uvicorn src.api.app:create_app --factory --app-dir backend`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from src.api import health
from src.api.error_handlers import add_error_handlers
from src.api.resources import open_resources
from src.api.routers import ROUTERS
from src.api.startup import PlainStartup
from src.settings import Settings, load_settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
PREFIX = "/api/v1"


def create_app(settings: Settings | None = None, *, migrations: Path = MIGRATIONS) -> FastAPI:
    """The API on the database of `settings` (by default the environment's), held against the revisions in `migrations`.

    Nothing is opened before the application starts up, and no connection before the first request. A database that is
    down does not keep it from starting; a URL or a revision file that cannot be used does (`UserError`).
    """
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, migrations) as app.state.resources:
            yield

    app = FastAPI(title="Syllabus", summary="The backend of an online course platform.", lifespan=lifespan)
    app.add_middleware(PlainStartup)
    add_error_handlers(app)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    return app
