"""Queries that PostgreSQL plans once a connection: the catalogue is read thousands of times by the same dozen.

A driver's own prepared statements do not last here: psycopg gives them up at every rollback.
"""

import re
from typing import Any

from psycopg.sql import Literal
from sqlalchemy import Engine, event

_CATALOGUE = re.compile(r"\s*WITH\s+(member AS|\w+ \(classid)")
_PARAMETER = re.compile(r"%\((\w+)\)s(?:::\w+(?:\[\])?)?")


def plan_once(engine: Engine) -> None:
    """Prepare each query of the catalogue when it is first asked on a connection."""
    event.listen(engine, "before_cursor_execute", _execute_prepared, retval=True)


def _execute_prepared(connection: Any, cursor: Any, statement: str, parameters: Any, *_: object) -> tuple[str, Any]:
    if not _CATALOGUE.match(statement):
        return statement, parameters
    prepared: dict[str, str] = connection.info.setdefault("prepared", {})
    names = sorted(parameters)
    if statement not in prepared:
        numbered = _PARAMETER.sub(lambda match: f"${names.index(match[1]) + 1}", statement)
        types = f"({', '.join('text[]' for _ in names)})" if names else ""
        cursor.execute(f"PREPARE catalogue_{len(prepared)} {types} AS {numbered.replace('%%', '%')}")
        prepared[statement] = f"catalogue_{len(prepared)}"
    arguments = ", ".join(Literal(parameters[name]).as_string() for name in names)
    return f"EXECUTE {prepared[statement]}{f'({arguments})' if names else ''}", {}
