"""`--sql`: what the revisions would do is written as a script; no server is asked.

Alembic's own script loses the values that are given to `op.get_bind().execute(...)`, and writes NULL in their place.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from alembic.runtime.migration import MigrationContext
from sqlalchemy import ARRAY, BindParameter, Executable, Insert, Text, TextClause, Update, bindparam, literal
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import NullType, TypeEngine

from alembic_online.policy import Policy
from alembic_online.postgres.locks.reader import texts
from alembic_online.recipes.names import expression, verbatim
from alembic_online.revisions.faulty_line import FaultyLine
from alembic_online.runner.interception import OnlineOperations
from alembic_online.runner.multi_statement import one_by_one

_PLACE = re.compile(r"%(?:\((\w+)\))?[s%]")


def begin_script(context: MigrationContext, policy: Policy) -> None:
    """Surround the revisions that follow."""
    OnlineOperations(context, policy).install_for_script()
    context.impl._exec = one_by_one(context.impl._exec)  # type: ignore[method-assign]
    context.connection = context.impl.connection = ScriptConnection(context)  # type: ignore[assignment]  # like Alembic's


class ScriptConnection(MockConnection):
    """What `op.get_bind()` is: it writes what it is to execute, and has nothing else of a connection."""

    def __init__(self, context: MigrationContext) -> None:
        super().__init__(context.dialect, self._write)
        self._context = context

    def _write(self, construct: Executable, parameters: Any = None, *_: Any) -> "_NoAnswer":
        for row in parameters if isinstance(parameters, list | tuple) else [parameters]:
            self._context.impl._exec(_with_values(construct, row or {}))
        return _NoAnswer()

    def exec_driver_sql(self, statement: str, parameters: Any = None, *_: Any) -> "_NoAnswer":
        """In the manner of psycopg2: `%s` or `%(name)s` stands for a value, and `%%` for a percent sign."""
        for row in parameters if isinstance(parameters, list) else [parameters]:
            for each in texts(_filled(statement, row or ())):
                self._context.impl._exec(verbatim(each))
        return _NoAnswer()


def _with_values(construct: Executable, row: Mapping[str, Any]) -> Executable:
    """`construct` with these values for its parameters, or its columns."""
    if isinstance(construct, TextClause):
        given = [_parameter(name, row[name]) for name in construct._bindparams if name in row]
        return construct.bindparams(*given)
    if isinstance(construct, Insert | Update):
        columns = construct.table.c
        return (
            construct.values({name: _typed(columns[name].type, value) for name, value in row.items()})
            if row
            else construct
        )
    return construct.params(row) if row and isinstance(construct, ClauseElement) else construct


def _parameter(name: str, value: Any) -> BindParameter[Any]:
    """A tuple is the list of `IN`."""
    if isinstance(value, list):
        return bindparam(name, value, ARRAY(literal(value[0]).type if value else Text()))
    return bindparam(name, value, expanding=isinstance(value, tuple))


def _typed(kind: TypeEngine[Any], value: Any) -> Any:
    """A column of `sa.table` may have no type: then it is the value's."""
    return literal(value) if isinstance(kind, NullType) and not isinstance(value, ClauseElement) else value


def _filled(statement: str, values: Any) -> str:
    following = iter(values) if not isinstance(values, Mapping) else iter(())

    def value(place: re.Match[str]) -> str:
        if place[0] == "%%":
            return "%"
        return expression(literal(values[place[1]] if place[1] else next(following)))

    return _PLACE.sub(value, statement)


class _NoAnswer:
    """The result that nobody has: to ask for it is refused, to leave it is fine."""

    def close(self) -> None:
        """As of any result."""

    def __getattr__(self, name: str) -> Any:
        raise needs_an_answer()

    def __iter__(self) -> Iterator[Any]:
        raise needs_an_answer()

    def __bool__(self) -> NoReturn:
        raise needs_an_answer()


def needs_an_answer() -> FaultyLine:
    """For what only a database can say."""
    return FaultyLine(
        "needs an answer of the database, and with --sql there is none",
        "Run this revision with `alembic upgrade` and a URL; or let it ask only `if not op.get_context().as_sql`.",
    )
