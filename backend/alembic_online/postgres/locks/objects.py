"""The locks of DROP, COMMENT and ALTER of whatever is no table, and those of LOCK and TRUNCATE."""

from collections.abc import Iterator

from alembic_online.postgres.locks.alter_table import alter_table
from alembic_online.postgres.locks.create import published
from alembic_online.postgres.locks.mode import LockMode
from alembic_online.postgres.locks.reader import Reader
from alembic_online.postgres.locks.table_lock import Kind, TableLock

_RELATIONS: dict[str, Kind] = {
    "TABLE": "table",
    "FOREIGN TABLE": "foreign table",
    "VIEW": "view",
    "MATERIALIZED VIEW": "materialized view",
    "SEQUENCE": "sequence",
    "INDEX": "index",
}
_PARTS = ("TRIGGER", "POLICY", "RULE", "CONSTRAINT")


def drop(reader: Reader) -> Iterator[TableLock]:
    """After DROP."""
    if what := reader.accept_any(*_RELATIONS):
        yield from _drop_relations(reader, _RELATIONS[what])
    elif reader.accept_any("DOMAIN", "TYPE"):
        reader.accept("IF EXISTS")
        for name in reader.names() if reader.has("CASCADE") else ():
            yield TableLock(name, LockMode.ACCESS_EXCLUSIVE, "tables of type")
    elif reader.accept_any(*_PARTS):
        reader.accept("IF EXISTS")
        reader.name()
        if reader.accept("ON"):
            yield TableLock(reader.name(), LockMode.ACCESS_EXCLUSIVE)


def _drop_relations(reader: Reader, kind: Kind) -> Iterator[TableLock]:
    mode = LockMode.SHARE_UPDATE_EXCLUSIVE if reader.accept("CONCURRENTLY") else LockMode.ACCESS_EXCLUSIVE
    reader.accept("IF EXISTS")
    for name in reader.names():
        yield TableLock(name, mode, kind)
        if kind == "index":
            yield TableLock(name, mode, "table of index")
        if kind == "table":
            yield TableLock(name, mode, "table above")
            yield TableLock(name, mode, "referenced tables")
            if reader.has("CASCADE"):
                yield TableLock(name, mode, "referencing tables")


def comment(reader: Reader) -> Iterator[TableLock]:
    """After COMMENT ON; one on a part of a table (a constraint, a trigger, a policy, a rule) locks nothing for long."""
    if what := reader.accept_any(*_RELATIONS):
        yield TableLock(reader.name(), LockMode.SHARE_UPDATE_EXCLUSIVE, _RELATIONS[what])
    elif reader.accept("COLUMN"):
        yield TableLock(".".join(reader.parts()[:-1]), LockMode.SHARE_UPDATE_EXCLUSIVE)


def alter(reader: Reader) -> Iterator[TableLock]:
    """After ALTER."""
    match what := reader.accept_any(*_RELATIONS, *_PARTS, "PUBLICATION", "DOMAIN", "TYPE"):
        case "TABLE" | "FOREIGN TABLE" | "MATERIALIZED VIEW" | "VIEW":
            yield from alter_table(reader, _RELATIONS[what])
        case "INDEX":
            yield from _alter_index(reader)
        case "SEQUENCE":
            yield from _alter_sequence(reader)
        case "TRIGGER" | "POLICY" | "RULE" if not reader.has("DEPENDS"):
            reader.name()
            reader.accept("ON")
            yield TableLock(reader.name(), LockMode.ACCESS_EXCLUSIVE)
        case "DOMAIN" | "TYPE":
            yield from _alter_type(reader)
        case "PUBLICATION":
            reader.name()
            if reader.accept_any("ADD", "SET", "DROP") and reader.has("TABLE"):
                yield from published(reader)


def _alter_type(reader: Reader) -> Iterator[TableLock]:
    """A domain's new rule is held against every row of it; a composite type's columns are those of its tables."""
    name = reader.name()
    if reader.accept_any("ADD CONSTRAINT", "ADD CHECK", "VALIDATE CONSTRAINT", "SET NOT NULL"):
        if not reader.has("VALID"):  # NOT VALID is held against no row
            yield TableLock(name, LockMode.SHARE, "tables of type")
    elif reader.has("ATTRIBUTE") and reader.has("CASCADE"):
        yield TableLock(name, LockMode.ACCESS_EXCLUSIVE, "tables of type")


def _alter_index(reader: Reader) -> Iterator[TableLock]:
    light = reader.has("RENAME")
    for lock in alter_table(reader, "index"):
        yield TableLock(lock.name, LockMode.SHARE_UPDATE_EXCLUSIVE, "index") if light else lock


def _alter_sequence(reader: Reader) -> Iterator[TableLock]:
    reader.accept("IF EXISTS")
    name = reader.name()
    strong = reader.accept_any("RENAME", "OWNER TO", "SET")
    mode = LockMode.ACCESS_EXCLUSIVE if strong else LockMode.SHARE_ROW_EXCLUSIVE
    yield TableLock(name, mode, "sequence")


def truncate(reader: Reader) -> Iterator[TableLock]:
    """After TRUNCATE."""
    reader.accept("TABLE")
    for name in reader.names():
        yield TableLock(name, LockMode.ACCESS_EXCLUSIVE)
        if reader.has("CASCADE"):
            yield TableLock(name, LockMode.ACCESS_EXCLUSIVE, "tables truncated with")


def lock(reader: Reader) -> Iterator[TableLock]:
    """After LOCK."""
    reader.accept("TABLE")
    names, mode = reader.names(), LockMode.ACCESS_EXCLUSIVE
    if reader.accept("IN"):
        mode = next((mode for mode in LockMode if reader.accept(f"{mode} MODE")), mode)
    for name in names:
        yield TableLock(name, mode)
