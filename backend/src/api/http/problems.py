"""Answers that say what went wrong, in the form of RFC 9457 (`application/problem+json`)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """The members of every problem; a subclass adds its own."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(default="about:blank", description="about:blank: the title is that of the status")
    title: str
    status: int
    detail: str = Field(description="What is wrong, and the next step")


class ProblemError(Exception):
    """Raised anywhere below a route, and answered as a problem; `extensions` become members of its own."""

    def __init__(
        self, status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None, **extensions: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.extensions = extensions

    @property
    def problem(self) -> Problem:
        """What the client reads."""
        members = {"title": self.status.phrase, "status": self.status.value, "detail": self.detail}
        return Problem.model_validate({**self.extensions, **members})


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer with the problem's own status; members that are None are left out."""
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, problem.status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def problem_schema(status: HTTPStatus, model: type[Problem] = Problem) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of it. FastAPI's own `model` would promise plain `application/json`."""
    content = {MEDIA_TYPE: {"schema": model.model_json_schema()}}
    return {status.value: {"description": status.phrase, "content": content}}


def any_problem() -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a router: whatever goes wrong is answered as a problem."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {
        "4XX": {"description": "The request is refused; `detail` says why", "content": content},
        "5XX": {"description": "It cannot be answered at the moment", "content": content},
    }


def problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route: the problems that it may answer with."""
    return {code: schema for status in statuses for code, schema in problem_schema(status).items()}
