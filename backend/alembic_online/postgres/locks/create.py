"""The locks of CREATE: what is new has none that anybody could notice, what it leans on may have a strong one."""

from collections.abc import Iterator

from alembic_online.postgres.locks.alter_table import with_partition
from alembic_online.postgres.locks.mode import LockMode
from alembic_online.postgres.locks.reader import Reader
from alembic_online.postgres.locks.references import references
from alembic_online.postgres.locks.table_lock import TableLock

_ADJECTIVES = ("UNIQUE", "TEMP", "TEMPORARY", "GLOBAL", "LOCAL", "UNLOGGED", "RECURSIVE", "CONSTRAINT", "FOREIGN")


def create(reader: Reader) -> Iterator[TableLock]:
    """After CREATE."""
    replaces = reader.accept("OR REPLACE")
    while reader.accept_any(*_ADJECTIVES):
        pass
    match reader.accept_any("INDEX", "TABLE", "VIEW", "TRIGGER", "POLICY", "RULE", "STATISTICS", "PUBLICATION"):
        case "INDEX":
            mode = LockMode.SHARE_UPDATE_EXCLUSIVE if reader.accept("CONCURRENTLY") else LockMode.SHARE
            reader.skip_to("ON")
            yield from _on_named(reader, mode)
        case "TABLE":
            yield from _table(reader)
        case "VIEW" if replaces:
            yield TableLock(reader.name(), LockMode.ACCESS_EXCLUSIVE, "view")
        case "TRIGGER":
            reader.skip_to("ON")
            yield from _on_named(reader, LockMode.SHARE_ROW_EXCLUSIVE)
        case "POLICY":
            reader.skip_to("ON")
            yield from _on_named(reader, LockMode.ACCESS_EXCLUSIVE)
        case "RULE":
            reader.skip_to("TO")
            yield from _on_named(reader, LockMode.ACCESS_EXCLUSIVE)
        case "STATISTICS":
            yield from _statistics(reader)
        case "PUBLICATION":
            yield from published(reader)


def published(reader: Reader) -> Iterator[TableLock]:
    """The tables of CREATE or ALTER PUBLICATION: `... TABLE a, b (x, y) WHERE (...), TABLES IN SCHEMA s`."""
    reader.skip_to("TABLE")
    for item in reader.split():
        item.accept("TABLE")
        item.accept("ONLY")
        if not item.accept("TABLES"):
            yield from _on_named(item, LockMode.SHARE_UPDATE_EXCLUSIVE)


def _on_named(reader: Reader, mode: LockMode) -> Iterator[TableLock]:
    reader.accept("ONLY")
    if name := reader.name():
        yield TableLock(name, mode)


def _table(reader: Reader) -> Iterator[TableLock]:
    reader.accept("IF NOT EXISTS")
    new = reader.name()
    if reader.accept("PARTITION OF"):
        parent = reader.name()
        yield TableLock(parent, LockMode.ACCESS_EXCLUSIVE)
        yield from with_partition(parent, LockMode.SHARE_ROW_EXCLUSIVE)
    yield from references(reader.parentheses(), without=new)
    if reader.accept("INHERITS"):
        for parent in reader.parentheses().names():
            yield TableLock(parent, LockMode.SHARE_UPDATE_EXCLUSIVE)


def _statistics(reader: Reader) -> Iterator[TableLock]:
    table = ""
    while reader.skip_to("FROM"):  # the last one: the expressions before it may hold substring(x FROM 2)
        table = reader.name()
    if table:
        yield TableLock(table, LockMode.SHARE_UPDATE_EXCLUSIVE)
