"""Types that a revision makes and drops by its connection: `sa.Enum(...).create(op.get_bind())`, and `.drop`.

Where something waits for the cut-over, they join it. The question before them, whether the type is there
(`checkfirst`), is answered as if all that waits were done.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.dialects.postgresql import CreateDomainType, CreateEnumType, DropDomainType, DropEnumType

from alembic_online.recipes.cutover.cutover import CutOver
from alembic_online.recipes.names import plain, qualified, verbatim

NOTHING = "DO $$ BEGIN END $$"
"""What runs in the place of one that waits."""


@contextmanager
def types_by_bind(
    connection: Connection, cut_over: CutOver, joins: Callable[[], bool], run: Callable[[Any], Any]
) -> Iterator[None]:
    """Until the end of the block; while `joins` says so they are `run` instead, as an operation of Alembic's own."""
    dialect: Any = connection.dialect
    has_type, running = dialect.has_type, False

    def before(_: Connection, element: Any, *given: Any) -> tuple[Any, Any, Any]:
        nonlocal running
        is_type = isinstance(element, CreateEnumType | DropEnumType | CreateDomainType | DropDomainType)
        if is_type and not running and joins():
            running = True
            try:
                run(element)
            finally:
                running = False
            element = verbatim(NOTHING)
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
