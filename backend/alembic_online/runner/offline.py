"""`--sql`: what the revisions would do is written as a script; no server is asked.

Alembic's own script loses the values that are given to `op.get_bind().execute(...)`, and writes NULL in their place.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, NoReturn

from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import Script
from sqlalchemy import ARRAY, BindParameter, Executable, Insert, Text, TextClause, Update, bindparam, literal, text
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import NullType, TypeEngine

from alembic_online.alembic_seam import Send, SupervisedContext, Supervisor, replace_connection, supervise
from alembic_online.policy import Policy
from alembic_online.postgres.locks.reader import texts
from alembic_online.recipes.bypass import new_names, reason_to_be_direct
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import expression, plain, verbatim
from alembic_online.recipes.offline_script import write
from alembic_online.recipes.registry import online_change
from alembic_online.recipes.step import Steps
from alembic_online.revisions.faulty_line import FaultyLine
from alembic_online.runner.multi_statement import split

log = logging.getLogger("alembic.runtime.migration")

_PLACE = re.compile(r"%(?:\((\w+)\))?[s%]")


def begin_script(context: MigrationContext, policy: Policy) -> None:
    """Surround the revisions that follow."""
    supervised = supervise(context, lambda supervised: ScriptRun(supervised, policy))
    replace_connection(supervised, ScriptConnection(supervised))  # like Alembic's own


class ScriptRun(Supervisor):
    """Writes the steps of each operation into the script, in their place."""

    def __init__(self, context: SupervisedContext, policy: Policy) -> None:
        self._context, self._database = context, Database(policy)
        self._script: Script | None = None
        self._new: set[str] = set()
        self._is_outside = False

    def steps(self, heads: Sequence[str], steps: Iterable[Any]) -> Iterator[Any]:
        """Each revision's own operations are known to be its own."""
        for step in steps:
            if isinstance(step, RevisionStep):
                step.migration_fn = self._around(step, step.migration_fn)
            yield step

    def _around(self, step: RevisionStep, migrate: Callable[..., None]) -> Callable[..., None]:
        @wraps(migrate)  # Alembic writes a step by its name
        def run(**arguments: Any) -> None:
            assert isinstance(step.revision, Script)
            self._script = step.revision
            self._new.clear()
            try:
                migrate(**arguments)
            finally:
                self._script = None

        return run

    def execute(self, construct: Executable | str, send: Send) -> Any:
        """A text with several statements is written as several."""
        for each in split(construct):
            steps = self._steps(text(each) if isinstance(each, str) else each)
            if steps is None:
                send(each)
            else:
                write(self._context, steps, self._context.send, outside=self._is_outside)

    def _steps(self, statement: Executable) -> Steps | None:
        """By which it is carried out on a table of any size; None where it is written as it stands."""
        if self._script is None or not isinstance(statement, DDLElement | TextClause):
            return None
        change = online_change(statement, self._database)
        self._new.update(map(plain, new_names(statement)))
        if change is None or plain(change.table) in self._new:
            return None
        if reason := reason_to_be_direct(self._script, change.table):
            log.info("%s is changed directly: %s", change.table, reason)
            return None
        return change.steps

    @contextmanager
    def autocommit_block(self, leave: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """What is in it needs no block of ours."""
        if self._is_outside:
            yield
            return
        with leave():
            self._is_outside = True
            try:
                yield
            finally:
                self._is_outside = False


class ScriptConnection(MockConnection):
    """What `op.get_bind()` is: it writes what it is to execute, and has nothing else of a connection."""

    def __init__(self, context: MigrationContext) -> None:
        super().__init__(context.dialect, self._write)
        self._context = context

    def _write(self, construct: Executable, parameters: Any = None, *_: Any) -> "_NoAnswer":
        for row in parameters if isinstance(parameters, list | tuple) else [parameters]:
            self._context.execute(_with_values(construct, row or {}))
        return _NoAnswer()

    def exec_driver_sql(self, statement: str, parameters: Any = None, *_: Any) -> "_NoAnswer":
        """In the manner of psycopg2: `%s` or `%(name)s` stands for a value, and `%%` for a percent sign."""
        for row in parameters if isinstance(parameters, list) else [parameters]:
            for each in texts(_filled(statement, row or ())):
                self._context.execute(verbatim(each))
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
