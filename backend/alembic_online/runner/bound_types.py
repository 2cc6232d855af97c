"""What a revision does by its connection and not by an operation, and joins the cut-over where something waits for it.

Types, `sa.Enum(...).create(op.get_bind())` and `.drop`: the question before them, whether the type is there
(`checkfirst`), is answered as if all that waits were done. And a SELECT of `setval`, if the revision reads no result.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Select, TextClause, event, text
from sqlalchemy.dialects.postgresql import CreateDomainType, CreateEnumType, DropDomainType, DropEnumType

from alembic_online.recipes.cutover.cutover import CutOver
from alembic_online.recipes.names import plain, qualified, verbatim, written_out

NOTHING = "DO $$ BEGIN END $$"
"""What runs in the place of one that waits."""


@contextmanager
def joining_by_bind(
    connection: Connection,
    cut_over: CutOver,
    joins: Callable[[], bool],
    run: Callable[[Any], Any],
    is_read: Callable[[], bool],
) -> Iterator[None]:
    """Until the end of the block; while `joins` says so they are `run` instead, as an operation of Alembic's own.

    `is_read` says whether the revision does something with what the statement at hand returns.
    """
    dialect: Any = connection.dialect
    has_type, running = dialect.has_type, False

    def may_join(element: Any, given: Any) -> bool:
        if isinstance(element, TextClause | Select):
            return not any(given) and cut_over.numbers_set(written_out(element)) is not None and not is_read()
        return isinstance(element, CreateEnumType | DropEnumType | CreateDomainType | DropDomainType)

    def before(_: Connection, element: Any, *given: Any) -> tuple[Any, Any, Any]:
        nonlocal running
        many, values = given[:2]
        if isinstance(element, TextClause) and values and not many and not running and joins():
            whole = element.bindparams(**values)
            if may_join(whole, ()):
                element, given = whole, ((), {}, *given[2:])
        if not running and joins() and may_join(element, given[:2]):
            running = True
            try:
                run(element)
            finally:
                running = False
            element = text(NOTHING) if isinstance(element, TextClause | Select) else verbatim(NOTHING)
        return element, *given[:2]

    def is_there(asking: Connection, name: str, schema: str | None = None, **options: Any) -> bool:
        if joins() and (known := cut_over.has_type(plain(qualified(name, schema)))) is not None:
            return known
        return bool(has_type(asking, name, schema=schema, **options))

    event.listen(connection, "before_execute", before, retval=True)
    dialect.has_type = is_there
    try:
        yield
    finally:
        event.remove(connection, "before_execute", before)
        del dialect.has_type
