"""The short transaction in which the new column takes the old one's place and name: catalogue entries, and no row."""

from collections.abc import Iterator, Sequence

from src.safety.online.database import Database
from src.safety.online.names import literal, qualified, quoted, temporary
from src.safety.online.shadow.carry import Index
from src.safety.online.shadow.column import OldColumn
from src.safety.online.shadow.materialized import MaterializedView, moved
from src.safety.online.shadow.trigger import drop, function_name
from src.safety.online.step import Step

_SEQUENCE = """
    SELECT seqstart, seqincrement, seqcache, seqcycle, seqmin, seqmax,
           seqtypid::regtype::text AS type FROM pg_sequence WHERE seqrelid = to_regclass(:sequence)
"""
_INTEGERS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def swap(
    database: Database,
    column: OldColumn,
    kind: str,
    found: Sequence[Index],
    statistics: Sequence[str],
    views: Sequence[MaterializedView],
) -> Iterator[Step]:
    """All of it in one transaction."""
    says = f"The new column {column.table}.{column.quoted} comes after the others: name columns, do not count them."
    yield from (Step(sql=statement, with_next=True) for statement in column.dependents.drop_views)
    yield from (Step(sql=f"DROP MATERIALIZED VIEW {view.table.sql}", with_next=True) for view in views)
    locks = {*column.dependents.locks, *([column.table] if column.parts else [])}  # and all that is below it
    if locks:
        yield Step(sql=f"LOCK TABLE {', '.join(sorted(locks))} IN ACCESS EXCLUSIVE MODE", with_next=True)
    first, *others = drop(column)
    yield Step(sql=first, says=says, with_next=True)
    # In one block: the lock that the first statement took is held for one answer of the server, not for twenty.
    statements = "; ".join([*others, *_statements(database, column, kind, found, statistics, views)])
    yield Step(sql=f"DO $swap$ BEGIN {statements}; END $swap$")


def _statements(
    database: Database,
    column: OldColumn,
    kind: str,
    found: Sequence[Index],
    statistics: Sequence[str],
    views: Sequence[MaterializedView],
) -> Iterator[str]:
    table, new = column.table, quoted(temporary(column.name))
    yield f"DROP FUNCTION {function_name(column)}()"
    if column.not_null and column.not_null_name is None:
        # The validated CHECK proves it: nothing is scanned.
        yield f"ALTER TABLE {table} ALTER COLUMN {new} SET NOT NULL"
        yield f"ALTER TABLE {table} DROP CONSTRAINT {quoted(not_null_name(column))}"
    yield from _default(database, column, kind, new)
    yield from column.dependents.drop
    yield f"ALTER TABLE {table} DROP COLUMN {column.quoted}"
    for name in statistics:
        schema, _, own = name.partition(".")
        yield f"ALTER STATISTICS {schema}.{_temporary_of(own)} RENAME TO {own}"
    if column.identity and column.sequence:
        own = column.sequence.rpartition(".")[2]
        yield f"ALTER SEQUENCE {qualified(_plain(temporary(_plain(own))), column.schema)} RENAME TO {own}"
    if column.not_null_name is not None:
        yield f"ALTER TABLE {table} RENAME CONSTRAINT {quoted(not_null_name(column))} TO {column.not_null_name}"
    yield f"ALTER TABLE {table} RENAME COLUMN {new} TO {column.quoted}"
    for index in reversed(found):  # those of the partitions first, which the constraint of the whole table adopts
        yield from _index(index)
    for view in views:
        yield from moved(view)
    # Their bodies may hold semicolons, by which PL/pgSQL would take them apart.
    yield from (f"EXECUTE {literal(statement)}" for statement in column.dependents.create)


def _default(database: Database, column: OldColumn, kind: str, new: str) -> Iterator[str]:
    """What the new column takes over of where the old one's values come from."""
    table = column.table
    if column.identity:
        yield from _identity(database, column)
    elif column.sequence:
        yield f"ALTER SEQUENCE {column.sequence} OWNED BY {table}.{new}"
        if kind in _INTEGERS:
            yield f"ALTER SEQUENCE {column.sequence} AS {kind}"
    if column.default is not None:
        yield f"ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {column.default}"
    for part in column.parts:
        if part.default != column.default:
            default = "DROP DEFAULT" if part.default is None else f"SET DEFAULT {part.default}"
            yield f"ALTER TABLE ONLY {part.table} ALTER COLUMN {new} {default}"


def not_null_name(column: OldColumn) -> str:
    """The constraint that proves the new column to be NOT NULL."""
    return temporary(f"{column.name}_not_null")


def _index(index: Index) -> Iterator[str]:
    table = index.table
    new, name = quoted(temporary(index.name)), quoted(index.name)
    if index.constraint is None:
        yield f"ALTER INDEX {quoted(index.schema)}.{new} RENAME TO {name}"
    else:
        kind = "PRIMARY KEY" if index.kind == "p" else "UNIQUE"
        deferrable = " DEFERRABLE" if index.deferrable else ""
        deferred = " INITIALLY DEFERRED" if index.deferred else ""
        constraint = quoted(index.constraint)
        using = f"{kind} USING INDEX {new}{deferrable}{deferred}"
        yield f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {index.definition if index.partitioned else using}"
        if index.constraint_comment is not None:
            yield f"COMMENT ON CONSTRAINT {constraint} ON {table} IS {literal(index.constraint_comment)}"
    if index.clustered:
        yield f"ALTER TABLE {table} CLUSTER ON {name}"


def _identity(database: Database, column: OldColumn) -> Iterator[str]:
    """An identity's sequence cannot change hands: a new one goes on where the old one is."""
    (row,) = database.ask(_SEQUENCE, sequence=column.sequence)
    own = _plain((column.sequence or "").rpartition(".")[2])
    name = qualified(temporary(own), column.schema)
    options = [f"SEQUENCE NAME {name} START WITH {row.seqstart} INCREMENT BY {row.seqincrement} CACHE {row.seqcache}"]
    if row.seqincrement > 0 and (row.seqmin != 1 or row.seqmax != _INTEGERS[row.type]):
        options.append(f"MINVALUE {row.seqmin} MAXVALUE {row.seqmax}")
    options += ["CYCLE"] if row.seqcycle else []
    always = "ALWAYS" if column.identity == "a" else "BY DEFAULT"
    new = quoted(temporary(column.name))
    yield f"ALTER TABLE {column.table} ALTER COLUMN {new} ADD GENERATED {always} AS IDENTITY ({' '.join(options)})"
    yield f"PERFORM setval({literal(name)}, last_value, is_called) FROM {column.sequence}"


def _plain(name: str) -> str:
    """A name without its quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _temporary_of(name: str) -> str:
    return quoted(temporary(_plain(name)))
