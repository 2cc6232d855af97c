"""Probes: `/livez` for the process, `/readyz` for the process and its database together."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.errors import UserError
from alembic_online.review.status import SchemaState
from src.api.dependencies.sessions import OpenResources
from src.api.http.problems import Problem, problem_response, problem_schema
from src.api.ops.readiness import Seen

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process runs and answers."""

    status: Literal["alive"] = "alive"


class Migration(BaseModel):
    """A migration that runs at this moment."""

    who: str
    revision: str | None
    direction: str | None
    step: str | None
    since: str | None


class Ready(BaseModel):
    """The database answers, and is where the code wants it."""

    status: Literal["ready"] = "ready"
    revision: str = Field(description="The database's revision, which is one that the code can serve")
    head: str | None = Field(default=None, description="What the code was built for, where that is another one")
    migration: Migration | None = Field(default=None, description="What is being applied or undone meanwhile")
    changed_by_hand: str | None = Field(
        default=None, description="What of the schema is not as the last migration left it, though the revision is"
    )


class NotReady(Problem):
    """Requests should go elsewhere; `detail` says why, and what to do."""

    title: str = HTTPStatus.SERVICE_UNAVAILABLE.phrase
    status: int = HTTPStatus.SERVICE_UNAVAILABLE.value
    reason: Literal["unreachable", "behind", "ahead", "unversioned", "diverged"]
    host: str
    database: str
    revision: str | None = Field(default=None, description="What the database holds, if it holds any")
    head: str | None = Field(default=None, description="What the code wants")
    behind: int | None = Field(default=None, description="How many revisions are to be applied")
    migration: Migration | None = Field(default=None, description="What is being applied or undone at this moment")


@router.get("/livez")
async def livez() -> Alive:
    """200 as long as the process lives; touches nothing."""
    return Alive()


@router.get(
    "/readyz",
    response_model=Ready,
    response_model_exclude_none=True,
    responses=problem_schema(HTTPStatus.SERVICE_UNAVAILABLE, NotReady),
)
async def readyz(resources: OpenResources) -> Ready | JSONResponse:
    """200 if the database answers and is at a revision that the code can serve, otherwise 503 with the reason."""
    status = await resources.readiness.status()
    if isinstance(status, Seen) and status.schema.state is SchemaState.READY:
        changed = status.changed_by_hand.sentence if status.changed_by_hand else None
        current, heads = status.schema.current, status.schema.heads
        return Ready(
            revision=", ".join(current),
            head=", ".join(heads) if heads != current else None,
            migration=_migration(status),
            changed_by_hand=changed,
        )
    return problem_response(_not_ready(status, resources.readiness.target))


def _migration(seen: Seen) -> Migration | None:
    return Migration(**asdict(seen.migration)) if seen.migration else None


def _not_ready(status: Seen | UserError, target: DatabaseURL) -> NotReady:
    host, database = target.host, target.database
    if isinstance(status, UserError):
        detail = f"{status.problem} {status.remedy}"
        return NotReady(reason="unreachable", detail=detail, host=host, database=database)
    schema = status.schema
    return NotReady.model_validate(
        {
            "reason": schema.state.value,
            "detail": schema.sentence,
            "host": host,
            "database": database,
            "revision": ", ".join(schema.current) or None,
            "head": ", ".join(schema.heads),
            "behind": schema.behind or None,
            "migration": _migration(status),
        }
    )
