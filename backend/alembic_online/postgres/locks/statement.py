"""Which existing relations a statement locks, and how, read from its text.

tests/alembic_online/postgres/locks/ proves each form on real servers. Left out are the locks that no other client
notices: the ACCESS SHARE on what is only read, and those of DML. Left out is also what no text tells: the statements
in a DO block or a function, partitions and children of a table, and views and columns of others that go by CASCADE.
"""

from collections.abc import Callable, Iterator

from alembic_online.postgres.locks import maintenance, objects
from alembic_online.postgres.locks.create import create
from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.locks.table_lock import TableLock

_RULES: dict[str, Callable[[Reader], Iterator[TableLock]]] = {
    "ALTER": objects.alter,
    "ANALYSE": maintenance.vacuum,
    "ANALYZE": maintenance.vacuum,
    "CLUSTER": maintenance.cluster,
    "COMMENT ON": objects.comment,
    "CREATE": create,
    "DROP": objects.drop,
    "LOCK": objects.lock,
    "REFRESH MATERIALIZED VIEW": maintenance.refresh,
    "REINDEX": maintenance.reindex,
    "TRUNCATE": objects.truncate,
    "VACUUM": maintenance.vacuum,
}


def strong_locks(statement: str) -> tuple[TableLock, ...]:
    """The locks that `statement` (or several, by semicolons) takes on relations that exist, strongest one each.

    Text of which nothing is known, and SELECT and DML, give (); nothing is raised, also not for a syntax error.
    """
    strongest: dict[tuple[str, str, str | None], TableLock] = {}
    for reader in statements(statement):
        if rule := reader.accept_any(*_RULES):
            for lock in _RULES[rule](reader):
                key = (lock.name, lock.kind, lock.part)
                if lock.name and (key not in strongest or lock.mode > strongest[key].mode):
                    strongest[key] = lock
    return tuple(strongest.values())
