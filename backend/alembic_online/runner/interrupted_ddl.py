"""Statements that commit by themselves, in several steps: what an interrupted one left, and whether it got to its end.

VALIDATE, REFRESH, VACUUM, ANALYZE and REINDEX may be done twice. CREATE INDEX, DROP INDEX and DETACH PARTITION may not:
where the process died between their end and its note, only the catalogue knows.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from alembic_online.postgres.locks import strong_locks
from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.sql.verbatim import run_as_written
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.statement import Statement

_VALIDITY = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
# One of its name may be an index of another table.
_BUILT = text(f"{_VALIDITY.text} AND indrelid = to_regclass(:table)")
_IS_PARTITION = text(
    "SELECT NOT inhdetachpending FROM pg_inherits"
    " WHERE inhrelid = to_regclass(:name) AND inhparent = to_regclass(:parent)"
)
# PostgreSQL names the copies that REINDEX makes, and leaves when it is interrupted, with these endings.
_COPIES = text(
    """
    SELECT c.oid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' AND c.relkind = 'i'
      AND to_regclass(:name) IN (i.indrelid, (SELECT n.indexrelid FROM pg_index n
                                              WHERE n.indexrelid = to_regclass(:name) AND n.indrelid = i.indrelid))
    """
)


def is_complete_or_begins(attempt: Attempt, statement: Statement) -> bool:
    """Whether an earlier try had completed it; if not, it is noted that it begins, on a place that is clear."""
    if not statement.is_patient:
        return False
    connection, journal, key = attempt.connection, attempt.journal, attempt.key
    if journal.has_begun(key) and is_complete(connection, statement.sql):
        return True
    clear_away(connection, statement.sql)
    if not journal.has_begun(key):
        journal.begin(key)
        attempt.write_journal(attempt.at_hand.journal)
    return False


def is_complete(connection: Connection, statement: str) -> bool:
    """Whether the catalogue says that `statement`, which began in an earlier try, has nothing left to do."""
    for reader in statements(statement):
        if built := _built(reader):
            return bool(connection.scalar(_BUILT, built))
        if reader.accept("DROP INDEX CONCURRENTLY"):
            reader.accept("IF EXISTS")
            return connection.scalar(_VALIDITY, {"name": reader.name()}) is None
        if reader.accept("ALTER TABLE"):
            return _is_detached(connection, reader)
    return False


def clear_away(connection: Connection, statement: str) -> None:
    """Drop the INVALID indexes in the way of `statement`: the one of its name, and the copies of a REINDEX."""
    for name in _in_the_way(connection, statement):
        run_as_written(connection, f"DROP INDEX CONCURRENTLY {name}")


def _in_the_way(connection: Connection, statement: str) -> Iterator[str]:
    for reader in statements(statement):
        if (built := _built(reader)) and connection.scalar(_BUILT, built) is False:
            yield built["name"]
        if reader.accept("REINDEX"):
            for lock in strong_locks(statement):
                yield from connection.scalars(_COPIES, {"name": lock.name}).all()


def _built(reader: Reader) -> dict[str, str]:
    """The index that CREATE INDEX CONCURRENTLY makes, in the schema of its table, and that; empty for anything else."""
    if not (reader.accept_any("CREATE INDEX", "CREATE UNIQUE INDEX") and reader.accept("CONCURRENTLY")):
        return {}
    reader.accept("IF NOT EXISTS")
    name = reader.name()
    reader.accept("ON")
    reader.accept("ONLY")
    table = reader.parts()
    return {"name": ".".join([*table[:-1], name]), "table": ".".join(table)} if name else {}


def _is_detached(connection: Connection, reader: Reader) -> bool:
    reader.accept("IF EXISTS")
    parent = "".join(reader.names()[:1])
    if not reader.accept("DETACH PARTITION"):
        return False
    name = reader.name()
    attached = connection.scalar(_IS_PARTITION, {"name": name, "parent": parent})
    if attached is False:
        finalize = f"ALTER TABLE {parent} DETACH PARTITION {name} FINALIZE"
        run_as_written(connection, finalize)
    return not attached
