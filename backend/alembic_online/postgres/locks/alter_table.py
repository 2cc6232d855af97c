"""The locks of ALTER TABLE, which depend on its actions, and of those that follow the same grammar.

Source: `AlterTableGetLockLevel` in tablecmds.c and the options' levels in reloptions.c, PostgreSQL 16 to 18.
"""

from collections.abc import Iterator

from alembic_online.postgres.locks.mode import LockMode
from alembic_online.postgres.locks.reader import Reader
from alembic_online.postgres.locks.references import references
from alembic_online.postgres.locks.table_lock import Kind, TableLock

_LIGHT_OPTIONS = (
    "AUTOVACUUM_",
    "LOG_AUTOVACUUM_",
    "VACUUM_",
    "FILLFACTOR",
    "PARALLEL_WORKERS",
    "TOAST_TUPLE_TARGET",
    "DEDUPLICATE_ITEMS",
    "N_DISTINCT",
)


def alter_table(reader: Reader, kind: Kind = "table") -> Iterator[TableLock]:
    """After ALTER TABLE (or ALTER MATERIALIZED VIEW, ...): the name, then actions separated by commas."""
    if reader.accept("ALL IN TABLESPACE"):
        return
    table = reader.altered()
    reader.accept("*")
    for action in reader.split():
        yield from _action(action, table, kind)


def _action(action: Reader, table: str, kind: Kind) -> Iterator[TableLock]:
    match action.accept_any(
        "ADD", "DROP", "ALTER", "VALIDATE CONSTRAINT", "ATTACH", "DETACH", "INHERIT", "SET", "RESET"
    ):
        case "ADD":
            yield from _add(action, table, kind)
        case "DROP":
            yield from _drop(action, table, kind)
        case "ALTER":
            yield from _alter_column(action, table, kind)
        case "VALIDATE CONSTRAINT":
            yield TableLock(table, LockMode.SHARE_UPDATE_EXCLUSIVE, kind)
            yield TableLock(table, LockMode.ROW_SHARE, "referenced tables", part=action.name())
        case "ATTACH":
            yield TableLock(table, LockMode.SHARE_UPDATE_EXCLUSIVE, kind)
            action.accept("PARTITION")
            yield TableLock(action.name(), LockMode.ACCESS_EXCLUSIVE, kind)
            yield from with_partition(table, LockMode.SHARE_ROW_EXCLUSIVE)
        case "DETACH":
            yield from _detach(action, table)
        case "INHERIT":
            yield TableLock(table, LockMode.ACCESS_EXCLUSIVE, kind)
            yield TableLock(action.name(), LockMode.SHARE_UPDATE_EXCLUSIVE, kind)
        case "SET" | "RESET":
            yield TableLock(table, _setting(action), kind)
        case _:
            yield TableLock(table, _other(action), kind)


def _add(action: Reader, table: str, kind: Kind) -> Iterator[TableLock]:
    if action.accept("CONSTRAINT"):
        action.name()
    own = LockMode.SHARE_ROW_EXCLUSIVE if action.accept("FOREIGN KEY") else LockMode.ACCESS_EXCLUSIVE
    yield TableLock(table, own, kind)
    yield from references(action, without=table)


def _drop(action: Reader, table: str, kind: Kind) -> Iterator[TableLock]:
    yield TableLock(table, LockMode.ACCESS_EXCLUSIVE, kind)
    action.accept_any("CONSTRAINT", "COLUMN")
    action.accept("IF EXISTS")
    part = action.name()
    yield TableLock(table, LockMode.ACCESS_EXCLUSIVE, "referenced tables", part=part)
    if action.has("CASCADE"):
        yield TableLock(table, LockMode.ACCESS_EXCLUSIVE, "referencing tables", part=part)


def _alter_column(action: Reader, table: str, kind: Kind) -> Iterator[TableLock]:
    if action.accept("CONSTRAINT"):
        yield from _alter_constraint(action, table)
        return
    action.accept("COLUMN")
    column = action.name()
    if action.accept_any("SET STATISTICS", "SET (", "RESET (") or kind == "index":  # of an index only its statistics
        yield TableLock(table, LockMode.SHARE_UPDATE_EXCLUSIVE, kind)
        return
    yield TableLock(table, LockMode.ACCESS_EXCLUSIVE, kind)
    if action.accept_any("TYPE", "SET DATA TYPE"):
        yield TableLock(table, LockMode.ACCESS_EXCLUSIVE, "referenced tables", part=column)
        yield TableLock(table, LockMode.ACCESS_EXCLUSIVE, "referencing tables", part=column)


def _alter_constraint(action: Reader, table: str) -> Iterator[TableLock]:
    name = action.name()
    yield TableLock(table, LockMode.ACCESS_EXCLUSIVE)
    if action.has("ENFORCED"):  # its triggers stand on both tables (PostgreSQL 18)
        yield TableLock(table, LockMode.ACCESS_EXCLUSIVE, "referenced tables", part=name)


def _detach(action: Reader, table: str) -> Iterator[TableLock]:
    action.accept("PARTITION")
    partition = action.name()
    light = action.accept_any("CONCURRENTLY", "FINALIZE")
    mode = LockMode.SHARE_UPDATE_EXCLUSIVE if light else LockMode.ACCESS_EXCLUSIVE
    yield TableLock(table, mode)
    yield TableLock(partition, mode)
    if not light:
        yield from with_partition(table, LockMode.ACCESS_EXCLUSIVE)


def with_partition(table: str, referencing: LockMode) -> Iterator[TableLock]:
    """What a partition that comes to `table`, or leaves it, takes besides: its foreign keys come and go with it."""
    yield TableLock(table, LockMode.ACCESS_EXCLUSIVE, "default partition")
    yield TableLock(table, LockMode.SHARE_ROW_EXCLUSIVE, "referenced tables")
    yield TableLock(table, referencing, "referencing tables")


def _setting(action: Reader) -> LockMode:
    if action.accept("WITHOUT CLUSTER"):
        return LockMode.SHARE_UPDATE_EXCLUSIVE
    options = [option.name().upper().removeprefix("TOAST.") for option in action.parentheses().split()]
    light = bool(options) and all(option.startswith(_LIGHT_OPTIONS) for option in options)
    return LockMode.SHARE_UPDATE_EXCLUSIVE if light else LockMode.ACCESS_EXCLUSIVE


def _other(action: Reader) -> LockMode:
    if action.accept("CLUSTER ON"):
        return LockMode.SHARE_UPDATE_EXCLUSIVE
    if action.accept_any("ENABLE TRIGGER", "ENABLE REPLICA TRIGGER", "ENABLE ALWAYS TRIGGER", "DISABLE TRIGGER"):
        return LockMode.SHARE_ROW_EXCLUSIVE
    return LockMode.ACCESS_EXCLUSIVE
