"""A question about rows: those that a policy hides from the role count too, and nobody waits long for the answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from alembic_online.postgres.sql.verbatim import run_as_written

# With `off` a query fails where a policy would leave rows out of it (PostgreSQL 16 to 18, check_enable_rls).
_SET = text(
    "SELECT set_config('row_security', 'off', true), set_config('statement_timeout',"
    " coalesce(nullif(:milliseconds, '0'), current_setting('statement_timeout')), true)"
)

_FORCED = text("SELECT oid::regclass::text FROM pg_class WHERE relforcerowsecurity AND pg_has_role(relowner, 'USAGE')")


@contextmanager
def every_row(connection: Connection, *, outside: bool = False, seconds: float = 0.0) -> Iterator[None]:
    """Ask in the block, for no longer than `seconds` (0: as long as the session may); what is set for it is taken back.

    `outside` of a transaction there is one for the block. Where a policy hides rows from this role, PostgreSQL raises
    INSUFFICIENT_PRIVILEGE instead of leaving them out.
    """
    connection.exec_driver_sql("BEGIN" if outside else "SAVEPOINT question")
    try:
        connection.execute(_SET, {"milliseconds": str(round(seconds * 1000))})
        yield
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql("ROLLBACK" if outside else "ROLLBACK TO SAVEPOINT question")


@contextmanager
def every_row_of_ours(connection: Connection, *, outside: bool = False) -> Iterator[None]:
    """The same in a database that nobody else uses, of tables that this role owns: no policy holds for it."""
    with every_row(connection, outside=outside):
        for name in connection.scalars(_FORCED).all():
            unforced = f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY"
            run_as_written(connection, unforced)
        yield
