"""Answers that say what went wrong, in the form of RFC 9457 (`application/problem+json`)."""

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """The members of every problem; a subclass adds its own."""

    type: str = Field(default="about:blank", description="about:blank: the title is that of the status")
    title: str
    status: int
    detail: str = Field(description="What is wrong, and the next step")


def problem_response(problem: Problem) -> JSONResponse:
    """The answer with the problem's own status; members that are None are left out."""
    return JSONResponse(problem.model_dump(exclude_none=True), problem.status, media_type=MEDIA_TYPE)


def problem_schema(status: HTTPStatus, model: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of it. FastAPI's own `model` would promise plain `application/json`."""
    content = {MEDIA_TYPE: {"schema": model.model_json_schema()}}
    return {status.value: {"description": status.phrase, "content": content}}
