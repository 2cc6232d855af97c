"""What a revision does by its connection and not by an operation, and joins the cut-over where something waits for it.

Types, `sa.Enum(...).create(op.get_bind())` and `.drop`: the question before them, whether the type is there
(`checkfirst`), is answered as if all that waits were done. And a SELECT of `setval`, if the revision reads no result.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Dialect, Select, TextClause, event, text
from sqlalchemy.dialects.postgresql import CreateDomainType, CreateEnumType, DropDomainType, DropEnumType
from sqlalchemy.dialects.postgresql.base import PGDialect

from alembic_online.recipes.cutover.availability_gaps import Gaps
from alembic_online.recipes.cutover.cutover import CutOver
from alembic_online.recipes.names import plain, qualified, verbatim, written_out
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.replay import NOTHING


class _KnowsTypesAhead(PGDialect):
    """The dialect of one connection, which is asked for types as if all that waits were done."""

    ahead: Callable[[str], bool | None]
    """By the plain name; None where nothing that waits tells."""

    @classmethod
    def of(cls, stock: Dialect, ahead: Callable[[str], bool | None]) -> "_KnowsTypesAhead":
        """One that is else like `stock`, which all connections of the engine share."""
        made: _KnowsTypesAhead = object.__new__(type(cls.__name__, (cls, type(stock)), {}))
        vars(made).update(vars(stock), ahead=ahead)
        return made

    def has_type(self, connection: Connection, type_name: str, schema: str | None = None, **options: Any) -> bool:
        known = self.ahead(plain(qualified(type_name, schema)))
        return super().has_type(connection, type_name, schema=schema, **options) if known is None else known  # type: ignore[no-untyped-call]


class JoiningByBind:
    """Of one run: where something waits they are carried out as an operation of Alembic's own."""

    def __init__(self, attempt: Attempt, cut_over: CutOver) -> None:
        self._attempt, self._cut_over, self._is_running = attempt, cut_over, False
        # One for the run: SQLAlchemy compiles each statement once for a dialect.
        self._dialect = _KnowsTypesAhead.of(attempt.connection.dialect, self._ahead)

    @contextmanager
    def revision(self, gaps: Gaps) -> Iterator[None]:
        """What the revision does by its connection until the end of the block."""
        connection = self._attempt.connection

        def before(_: Connection, element: Any, *given: Any) -> tuple[Any, Any, Any]:
            many, values = given[:2]
            if self._is_running or not self._joins():
                return element, many, values
            whole, rest = element, (many, values)
            if isinstance(element, TextClause) and values and not many:
                whole, rest = element.bindparams(**values), ((), {})
            if not self._may_join(whole, rest, gaps):
                return element, many, values
            return self._carry_out(whole), *rest

        event.listen(connection, "before_execute", before, retval=True)
        stock, connection.dialect = connection.dialect, self._dialect
        try:
            yield
        finally:
            connection.dialect = stock
            event.remove(connection, "before_execute", before)

    def _ahead(self, name: str) -> bool | None:
        return self._cut_over.has_type(name) if self._joins() else None

    def _joins(self) -> bool:
        attempt = self._attempt
        return bool(self._cut_over) and not attempt.in_steps and not attempt.is_ours and attempt.may_wait

    def _carry_out(self, element: Any) -> Any:
        """As an operation; what is executed in its place."""
        self._is_running = True
        try:
            self._attempt.run.context.execute(element)
        finally:
            self._is_running = False
        return text(NOTHING) if isinstance(element, TextClause | Select) else verbatim(NOTHING)

    def _may_join(self, element: Any, values: Sequence[Any], gaps: Gaps) -> bool:
        if isinstance(element, TextClause | Select):
            if any(values):  # they are in no text
                return False
            return self._cut_over.numbers_set(written_out(element)) is not None and not gaps.reads_here()
        return isinstance(element, CreateEnumType | DropEnumType | CreateDomainType | DropDomainType)
