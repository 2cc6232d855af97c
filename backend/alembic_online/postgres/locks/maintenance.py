"""The locks of VACUUM, ANALYZE, CLUSTER, REINDEX and REFRESH, and the options that change them."""

from collections.abc import Iterator

from alembic_online.postgres.locks.mode import LockMode
from alembic_online.postgres.locks.reader import Reader
from alembic_online.postgres.locks.table_lock import TableLock

_WORDS = ("FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE")
_OFF = ("OFF", "FALSE", "0")


def options(reader: Reader) -> set[str]:
    """Step over `(FULL, FREEZE off)` or, in the older spelling, `FULL FREEZE`; those that are on, in capitals."""
    found = set()
    for option in reader.parentheses().split():
        name = option.name().upper()
        if not option.accept_any(*_OFF):
            found.add(name)
    while word := reader.accept_any(*_WORDS):
        found.add(word)
    return found


def vacuum(reader: Reader) -> Iterator[TableLock]:
    """After VACUUM or ANALYZE. Without a table every table has its turn, and none is told."""
    mode = LockMode.ACCESS_EXCLUSIVE if "FULL" in options(reader) else LockMode.SHARE_UPDATE_EXCLUSIVE
    for item in reader.split():
        for name in item.names():
            yield TableLock(name, mode)


def cluster(reader: Reader) -> Iterator[TableLock]:
    """After CLUSTER: `t USING i`, or the older `i ON t`."""
    options(reader)
    name = reader.name()
    table = reader.name() if reader.accept("ON") else name
    if table:
        yield TableLock(table, LockMode.ACCESS_EXCLUSIVE)


def reindex(reader: Reader) -> Iterator[TableLock]:
    """After REINDEX. Of a schema or a database every table has its turn, and none is told."""
    concurrently = "CONCURRENTLY" in options(reader)
    what = reader.accept_any("INDEX", "TABLE")
    concurrently = reader.accept("CONCURRENTLY") or concurrently
    light = LockMode.SHARE_UPDATE_EXCLUSIVE
    if what is None or not (name := reader.name()):
        return
    yield TableLock(name, light if concurrently else LockMode.SHARE, "table" if what == "TABLE" else "table of index")
    yield TableLock(
        name, light if concurrently else LockMode.ACCESS_EXCLUSIVE, "indexes of table" if what == "TABLE" else "index"
    )


def refresh(reader: Reader) -> Iterator[TableLock]:
    """After REFRESH MATERIALIZED VIEW."""
    mode = LockMode.EXCLUSIVE if reader.accept("CONCURRENTLY") else LockMode.ACCESS_EXCLUSIVE
    yield TableLock(reader.name(), mode, "materialized view")
