"""Which statements wait for everybody and block nobody, and which cannot or should not run in a transaction block."""

from alembic_online.postgres.locks.maintenance import options
from alembic_online.postgres.locks.reader import Reader, statements

# The callers of `PreventInTransactionBlock`, PostgreSQL 16 to 18, that need no look at their further words.
_ALONE = (
    "VACUUM",
    "ALTER SYSTEM",
    "CREATE DATABASE",
    "DROP DATABASE",
    "CREATE TABLESPACE",
    "DROP TABLESPACE",
    "CREATE SUBSCRIPTION",
    "DROP SUBSCRIPTION",
    "COMMIT PREPARED",
    "ROLLBACK PREPARED",
    "DISCARD ALL",
)
_INDEX = ("CREATE INDEX", "CREATE UNIQUE INDEX", "DROP INDEX")
_REINDEX_KINDS = ("INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM")


def is_patient(statement: str) -> bool:
    """Whether it stops neither reads nor writes and may wait long: let it wait, and bound it by `statement_timeout`.

    The CONCURRENTLY forms and VALIDATE CONSTRAINT, VACUUM and ANALYZE: they wait for older snapshots or scan tables.
    """
    found = list(statements(statement))
    return bool(found) and all(map(_is_patient, found))


def needs_autocommit(statement: str) -> bool:
    """Whether PostgreSQL refuses it inside a transaction block (of a subscription's: unless told not to connect)."""
    return any(map(_needs_autocommit, statements(statement)))


def needs_commit(statement: str) -> bool:
    """Whether what it makes cannot be used in the same transaction: a label that is added to an enum."""
    return any(map(_needs_commit, statements(statement)))


def _needs_commit(reader: Reader) -> bool:
    return reader.accept("ALTER TYPE") and bool(reader.name()) and reader.accept("ADD VALUE")


def _is_patient(reader: Reader) -> bool:
    match reader.accept_any(
        "VACUUM", "ANALYZE", "ANALYSE", "ALTER TABLE", "REINDEX", "REFRESH MATERIALIZED VIEW", *_INDEX
    ):
        case "VACUUM":
            return "FULL" not in options(reader)
        case "ANALYZE" | "ANALYSE":
            return True
        case "ALTER TABLE":
            return bool(actions := _actions(reader)) and all(map(_is_patient_action, actions))
        case "REINDEX":
            return _reindexes_concurrently(reader)
        case None:
            return False
        case _:
            return reader.accept("CONCURRENTLY")


def _needs_autocommit(reader: Reader) -> bool:
    match reader.accept_any(*_ALONE, *_INDEX, "ALTER TABLE", "ALTER DATABASE", "REINDEX", "CLUSTER"):
        case "CREATE INDEX" | "CREATE UNIQUE INDEX" | "DROP INDEX":
            return reader.accept("CONCURRENTLY")
        case "ALTER TABLE":
            return any(map(_detaches_concurrently, _actions(reader)))
        case "ALTER DATABASE":
            reader.name()
            return reader.accept("SET TABLESPACE")
        case "REINDEX":
            return any(map(reader.has, _REINDEX_KINDS[2:])) or _reindexes_concurrently(reader)
        case "CLUSTER":
            options(reader)
            return reader.done
        case found:
            return found is not None


def _actions(reader: Reader) -> list[Reader]:
    """The actions after ALTER TABLE."""
    reader.accept("IF EXISTS")
    reader.names()
    return list(reader.split())


def _is_patient_action(action: Reader) -> bool:
    return action.accept("VALIDATE CONSTRAINT") or _detaches_concurrently(action)


def _detaches_concurrently(action: Reader) -> bool:
    return action.accept("DETACH PARTITION") and bool(action.name()) and action.accept("CONCURRENTLY")


def _reindexes_concurrently(reader: Reader) -> bool:
    return "CONCURRENTLY" in options(reader) or (
        reader.accept_any(*_REINDEX_KINDS) is not None and reader.accept("CONCURRENTLY")
    )
