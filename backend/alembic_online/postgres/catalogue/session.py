"""A session in which PostgreSQL prints one schema as one text, whoever asks and whatever he has set."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.engine import Connection

SETTINGS = {
    "search_path": "",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    # To plan such a query is most of its work in a small schema: dozens of joins, in their usual order after all.
    "jit": "off",
    "join_collapse_limit": "2",
    "from_collapse_limit": "2",
    "plan_cache_mode": "force_generic_plan",
}
"""What changes how an expression is printed, with an empty search path so that every name is qualified; and what saves
time."""

_APPLY = text("SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in SETTINGS.items()))
_FOR_GOOD = "neutral for good"
_SET = text("SELECT set_config(:name, :value, false)")
_VIRTUAL_TRANSACTION = text(
    "SELECT virtualtransaction FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'virtualxid'"
)


def stay_neutral(connection: Connection) -> None:
    """Apply `SETTINGS` until the session ends, for one that does nothing but read, and often.

    It then keeps what its driver has prepared, too: psycopg forgets that with each ROLLBACK, and to plan its queries is
    most of the work of reading a small schema.
    """
    for name, value in SETTINGS.items():
        connection.execute(_SET, {"name": name, "value": value})
    connection.info[_FOR_GOOD] = True


@contextmanager
def neutral_session(connection: Connection) -> Iterator[None]:
    """Apply `SETTINGS` for the block, and leave the session as it was.

    In a transaction the block is a savepoint that is rolled back, so an error in it leaves the caller's transaction
    usable. On an autocommit connection it is a read-only transaction of its own, with one snapshot. A session that
    stays neutral is left as it is.
    """
    if _FOR_GOOD in connection.info:
        yield
        return
    if _in_transaction(connection):
        savepoint = connection.begin_nested()
        try:
            connection.execute(_APPLY)
            yield
        finally:
            savepoint.rollback()
        return
    connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        connection.execute(_APPLY)
        yield
    finally:
        connection.exec_driver_sql("ROLLBACK")


def _in_transaction(connection: Connection) -> bool:
    # Two statements under one virtual transaction id are in one transaction; this asks no driver for its state, which
    # an explicit BEGIN on an autocommit connection would belie.
    return bool(connection.scalar(_VIRTUAL_TRANSACTION) == connection.scalar(_VIRTUAL_TRANSACTION))
