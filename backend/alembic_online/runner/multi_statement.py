"""Several statements in one text, as people write them for psycopg2: each is run by itself, with its own lock and note.

That is also what asyncpg needs, which takes one statement at a time. As with psycopg2, the result is that of the last.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, TextClause, text

from alembic_online.postgres.locks.reader import texts
from alembic_online.postgres.sql.tokens import Kind, tokens

_FORMAT_PLACES = re.compile(r"%[sbt%]")


def split(construct: Any) -> list[Any]:
    """The statements of a text, in their order; what is no text stays as it is."""
    if isinstance(construct, str):
        return list(texts(construct))
    if not isinstance(construct, TextClause) or len(found := texts(construct.text)) == 1:
        return [construct]
    return [_part(each, construct) for each in found]


def _part(sql: str, whole: TextClause) -> TextClause:
    part = text(sql)
    part._bindparams = {name: whole._bindparams[name] for name in part._bindparams}
    return part.execution_options(**whole.get_execution_options())


def run_all_but_the_last(
    connection: Connection, statement: str, parameters: Any, context: Any, *, many: bool
) -> tuple[str, Any]:
    """Run each statement of a text that is about to be sent, but for the last, which is returned with its parameters.

    With `many` parameters all of the text runs for each of them.
    """
    if ";" not in statement or len(parts := texts(statement)) == 1:
        return statement, parameters
    options = {"no_parameters": context.no_parameters}
    runs = [run for each in (parameters if many else [parameters]) for run in _shared_out(parts, each)]
    for sql, values in runs[:-1]:
        connection.exec_driver_sql(sql, values or None, execution_options=options)
    sql, values = runs[-1]
    return sql, [values] if many else values


def _shared_out(parts: list[str], parameters: Any) -> Iterator[tuple[str, Any]]:
    """Each statement with the parameters that it has a place for."""
    rest = parameters
    for sql in parts:
        if isinstance(parameters, Mapping) or not parameters:
            yield sql, parameters
        elif numbers := _numbers(sql):
            yield _renumbered(sql, numbers), tuple(parameters[number - 1] for number in numbers)
        else:
            count = sum(place != "%%" for place in _FORMAT_PLACES.findall(sql))
            yield sql, rest[:count]
            rest = rest[count:]


def _numbers(sql: str) -> list[int]:
    """Those of the places `$1`, which asyncpg has."""
    return sorted({int(token.text[1:]) for token in tokens(sql) if token.kind is Kind.PARAMETER})


def _renumbered(sql: str, numbers: list[int]) -> str:
    for token in reversed([token for token in tokens(sql) if token.kind is Kind.PARAMETER]):
        place = f"${numbers.index(int(token.text[1:])) + 1}"
        sql = sql[: token.start] + place + sql[token.start + len(token.text) :]
    return sql
