"""Run SQL as it is written: a percent sign or a colon in it is no parameter."""

from typing import Any

from sqlalchemy import Connection, CursorResult


def run_as_written(connection: Connection, sql: str) -> CursorResult[Any]:
    """The result of `sql`, which has no parameters.

    Without this, psycopg reads `%` in the name of a table or in a string as a place for one (its documentation,
    "Passing parameters to SQL queries"; only where parameters are passed at all, which SQLAlchemy does).
    """
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
