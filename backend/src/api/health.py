"""Probes: `/livez` for the process, `/readyz` for the process and its database together."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from src.api.dependencies import OpenResources
from src.api.problems import Problem, problem_response, problem_schema
from src.postgres.errors import UserError
from src.postgres.url import DatabaseURL
from src.safety.status import SchemaState, SchemaStatus

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process runs and answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """The database answers, and is where the code wants it."""

    status: Literal["ready"] = "ready"
    revision: str = Field(description="The database's revision, which is the head of the code")


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


@router.get("/livez")
async def livez() -> Alive:
    """200 as long as the process lives; touches nothing."""
    return Alive()


@router.get("/readyz", response_model=Ready, responses=problem_schema(HTTPStatus.SERVICE_UNAVAILABLE, NotReady))
async def readyz(resources: OpenResources) -> Ready | JSONResponse:
    """200 if the database answers and its revision is the head of the code, otherwise 503 with the reason."""
    status = await resources.readiness.status()
    if isinstance(status, SchemaStatus) and status.state is SchemaState.READY:
        return Ready(revision=", ".join(status.current))
    return problem_response(_not_ready(status, resources.readiness.target))


def _not_ready(status: SchemaStatus | UserError, target: DatabaseURL) -> NotReady:
    host, database = target.host, target.database
    if isinstance(status, UserError):
        detail = f"{status.problem} {status.remedy}"
        return NotReady(reason="unreachable", detail=detail, host=host, database=database)
    return NotReady.model_validate(
        {
            "reason": status.state.value,
            "detail": status.sentence,
            "host": host,
            "database": database,
            "revision": ", ".join(status.current) or None,
            "head": ", ".join(status.heads),
            "behind": status.behind or None,
        }
    )
