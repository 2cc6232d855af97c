"""The application, put together: `uvicorn src.api.app:create_app --factory --app-dir backend`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from random import getrandbits

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from src.api.error_handlers import add_error_handlers
from src.api.http.routing import serve
from src.api.middleware.head import Head
from src.api.middleware.observation import Observation
from src.api.middleware.repeat import Repeat
from src.api.middleware.security_headers import SecurityHeaders
from src.api.middleware.startup import PlainStartup
from src.api.ops.logs import structured_logs
from src.api.ops.metrics import ConnectionCollector, Metrics
from src.api.replica.position import PositionCookie
from src.api.resources import open_resources
from src.api.routers import ROUTERS
from src.settings import Settings, load_settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def create_app(settings: Settings | None = None, *, migrations: Path = MIGRATIONS) -> FastAPI:
    """The API on the database of `settings` (by default the environment's), held against the revisions in `migrations`.

    Nothing is opened before the application starts up, and no connection before the first request. A database that is
    down does not keep it from starting; a URL or a revision file that cannot be used does (`UserError`).
    """
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with structured_logs() if settings.is_production else nullcontext():
            async with open_resources(settings, migrations) as app.state.resources:
                connections = ConnectionCollector(app.state.resources.connections)
                app.state.metrics.registry.register(connections)
                yield
                app.state.metrics.registry.unregister(connections)

    app = FastAPI(
        title="Syllabus",
        summary="The backend of an online course platform.",
        version="1",
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours are /metrics and the log
    )
    # A redirect would go to whatever host the request names; there is one address for each thing.
    app.router.redirect_slashes = False
    app.state.metrics = Metrics()
    add_error_handlers(app)
    _add_middleware(app, settings)
    serve(app, *ROUTERS)
    return app


def _request_id() -> str:
    # By no means secret: a UUID's 16 bytes from the system took longer than all that is logged with it.
    return f"{getrandbits(128):032x}"


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """The last one added is the first one that a request meets."""
    app.add_middleware(Repeat)  # the innermost: what is repeated is the route, and what is counted is the answer
    if settings.replica_url:
        app.add_middleware(PositionCookie)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["*"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "If-None-Match", "X-Request-ID"],
            expose_headers=["ETag", "Content-Language", "Retry-After", "X-Request-ID"],
            max_age=3600,
        )
    app.add_middleware(Head)
    app.add_middleware(SecurityHeaders, only_tls=settings.is_production)
    app.add_middleware(Observation, metrics=app.state.metrics, access_log=settings.is_production)
    app.add_middleware(CorrelationIdMiddleware, update_request_header=False, generator=_request_id)
    app.add_middleware(PlainStartup)
