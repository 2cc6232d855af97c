"""Every error becomes a problem of RFC 9457; what is in the request never comes back in it."""

import logging
from http import HTTPStatus
from typing import Any

import asyncpg
from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from alembic_online.postgres.sqlstate import DUPLICATE_PREPARED_STATEMENT, INVALID_STATEMENT_NAME, sqlstate
from src.api.http.problems import ProblemError, problem_response
from src.api.middleware.repeat import ask_to_repeat, is_undone
from src.api.replica.reads import is_replicas_failure
from src.db.services.rules import Absent, Conflict, Forbidden, RuleError

_RULES = {
    Absent: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
}
_log = logging.getLogger(__name__)

# What the framework says in one word or in its own.
_OWN_WORDS = {
    HTTPStatus.BAD_REQUEST: "The body is not what its Content-Type says it is.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address; /docs lists what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method; `Allow` names those that it takes.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than this address takes.",
}
_RETRY = {"Retry-After": "1"}
_CONFLICTS = {
    "23505": "Something with these values exists already.",
    "23503": "It refers to something that does not exist, or something still refers to it.",
}
# Classes of SQLSTATE (PostgreSQL 18, appendix A) that say the server cannot serve now; the same request may succeed.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "40", "55")


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""
    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)


async def _problem(_: Request, error: Any) -> JSONResponse:
    return problem_response(error.problem, error.headers)


async def _broken_rule(_: Request, error: Any) -> JSONResponse:
    status = next(status for rule, status in _RULES.items() if isinstance(error, rule))
    return problem_response(ProblemError(status, str(error)).problem)


async def _http_exception(_: Request, error: Any) -> JSONResponse:
    status = HTTPStatus(error.status_code)
    known = ProblemError(status, _OWN_WORDS.get(status, str(error.detail)))
    return problem_response(known.problem, error.headers)


async def _invalid_request(_: Request, error: Any) -> JSONResponse:
    # Where and why, but not `input` and `ctx`: they would repeat a password.
    found = [(list(each["loc"]), str(each["msg"])) for each in error.errors()]
    errors = [{"location": where, "message": why.removeprefix("Value error, ")} for where, why in found]
    detail = "The request is not what this route takes; `errors` says where."
    return problem_response(ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors).problem)


async def _database_error(request: Request, error: Any) -> JSONResponse:
    state = sqlstate(error)
    if is_undone(error):
        ask_to_repeat(request)
        return await _unavailable(request, error)
    if is_replicas_failure(request, error):
        return await _unavailable(request, error)
    if state in (DUPLICATE_PREPARED_STATEMENT, INVALID_STATEMENT_NAME):
        _log.error(
            "A pooler in transaction mode stands before the database: add pgbouncer=true to DATABASE_URL's query."
        )
    if state in _CONFLICTS:
        return problem_response(ProblemError(HTTPStatus.CONFLICT, _CONFLICTS[state]).problem)
    if state is not None and state[:2] in ("22", "23"):
        detail = "A value in the request is not one that can be stored."
        return problem_response(ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail).problem)
    if state is None or state[:2] in _UNAVAILABLE_CLASSES or getattr(error, "connection_invalidated", False):
        return await _unavailable(request, error)
    raise error


async def _no_answer(request: Request, error: Any) -> JSONResponse:
    is_replicas_failure(request, error)
    return await _unavailable(request, error)


async def _unavailable(_: Request, error: Any) -> JSONResponse:
    detail = "The database does not answer at the moment; try again shortly."
    return problem_response(ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail).problem, _RETRY)


async def _unexpected(_: Request, error: Any) -> JSONResponse:
    # The server logs the traceback. This answer passes no middleware any more, so the id is added here.
    identifier = correlation_id.get()
    headers = {"X-Request-ID": identifier} if identifier else None
    detail = "Something went wrong here, not in the request; the log has it under this request's id."
    return problem_response(ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail).problem, headers)


_HANDLERS: dict[type[Exception], Any] = {
    ProblemError: _problem,
    RuleError: _broken_rule,
    HTTPException: _http_exception,
    RequestValidationError: _invalid_request,
    DBAPIError: _database_error,
    asyncpg.PostgresError: _database_error,  # from a hot query, which SQLAlchemy does not wrap
    asyncpg.InterfaceError: _database_error,
    asyncpg.InternalClientError: _no_answer,  # the server ended the session just when a statement was to be sent
    PoolTimeoutError: _no_answer,
    OSError: _no_answer,
    Exception: _unexpected,
}
