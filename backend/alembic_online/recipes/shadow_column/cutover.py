"""The short transaction in which the new column takes the old one's place and name: catalogue entries, and no row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic_online.postgres.sql.identifiers import without_schema
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, qualified, quoted, temporary
from alembic_online.recipes.recreate_foreign_keys import ForeignKeys
from alembic_online.recipes.shadow_column.change_capture import drop, function_name
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.shadow_column.concurrent_ddl_check import refuse_unless
from alembic_online.recipes.shadow_column.materialized import MaterializedView, moved
from alembic_online.recipes.shadow_column.not_null import NotNull, with_name, without_name
from alembic_online.recipes.shadow_column.publications import Published
from alembic_online.recipes.shadow_column.recreate_dependents import Index
from alembic_online.recipes.step import Step

_SEQUENCE = """
    SELECT seqstart, seqincrement, seqcache, seqcycle, seqmin, seqmax,
           seqtypid::regtype::text AS type FROM pg_sequence WHERE seqrelid = to_regclass(:sequence)
"""
_INTEGERS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


@dataclass(frozen=True)
class Made:
    """What was made for the new column beforehand."""

    seen: str
    """What there was then."""
    indexes: Sequence[Index]
    """From the top down."""
    statistics: Sequence[str]
    """The statements that give them their names."""
    not_nulls: Sequence[NotNull]
    views: Sequence[MaterializedView]
    foreign_keys: ForeignKeys
    published: Published


def swap(database: Database, column: OldColumn, made: Made) -> Iterator[Step]:
    """All of it in one transaction."""
    says = f"The new column {column.table}.{column.quoted} comes after the others: name columns, do not count them."
    first_of_all = [*column.dependents.drop_views, *(f"DROP MATERIALIZED VIEW {view.table.sql}" for view in made.views)]
    yield from (Step(sql=statement, with_next=True, joins=True) for statement in first_of_all)
    # The table with all that is below it.
    locks = {*column.dependents.locks, *made.foreign_keys.tables, *([column.table] if column.parts else [])}
    if locks:
        lock = f"LOCK TABLE {', '.join(sorted(locks))} IN ACCESS EXCLUSIVE MODE"
        yield Step(sql=lock, with_next=True, joins=True)
    first, *others = drop(column)
    yield Step(sql=first, says=says, with_next=True, joins=True)
    # In one block: the lock that the first statement took is held for one answer of the server, not for twenty.
    unchanged = refuse_unless(made.seen, column, database)
    statements = "; ".join([unchanged, *others, *_statements(database, column, made)])
    swapped = f"DO $swap$ BEGIN {statements}; END $swap$"
    yield Step(
        sql=swapped,
        joins=True,
        swaps=column.table,
        column=column.name,
        parts=tuple(each.table for each in column.parts),
        leaves=(column.type,),
    )


def _statements(database: Database, column: OldColumn, made: Made) -> Iterator[str]:
    table, new = column.table, quoted(temporary(column.name))
    yield f"DROP FUNCTION {function_name(column)}()"
    yield from (statement for each in made.not_nulls for statement in without_name(each))
    yield from _default(database, column, new)
    yield from column.dependents.drop
    yield from made.foreign_keys.drop
    yield from made.published.out
    yield f"ALTER TABLE {table} DROP COLUMN {column.quoted}"
    yield from made.statistics
    if _keeps_identity(database, column):
        own = without_schema(column.sequences[0])
        yield f"ALTER SEQUENCE {qualified(_plain(temporary(_plain(own))), column.schema)} RENAME TO {own}"
    yield from (statement for each in made.not_nulls for statement in with_name(each))
    yield f"ALTER TABLE {table} RENAME COLUMN {new} TO {column.quoted}"
    for index in reversed(
        made.indexes
    ):  # those of the partitions first, which the constraint of the whole table adopts
        yield from _index(index)
    yield from made.published.back
    for view in made.views:
        yield from moved(view)
    yield from made.foreign_keys.add
    # Their bodies may hold semicolons, by which PL/pgSQL would take them apart.
    yield from (f"EXECUTE {literal(statement)}" for statement in column.dependents.create)


def _default(database: Database, column: OldColumn, new: str) -> Iterator[str]:
    """What the new column takes over of where the old one's values come from."""
    table = column.table
    if _keeps_identity(database, column):
        yield from _identity(database, column)
    for sequence in column.sequences[1 if column.identity else 0 :]:
        if not database.cut_over.gives_up("sequence", "", sequence):
            # A serial's keeps its type, as it does with ALTER COLUMN TYPE (PostgreSQL 16 to 18).
            yield f"ALTER SEQUENCE {sequence} OWNED BY {table}.{new}"
    if database.cut_over.gives_up("default", table, column.name):
        return
    if column.default is not None:
        yield f"ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {column.default}"
    for part in column.parts:
        if part.default != column.default:
            default = "DROP DEFAULT" if part.default is None else f"SET DEFAULT {part.default}"
            yield f"ALTER TABLE ONLY {part.table} ALTER COLUMN {new} {default}"


def _keeps_identity(database: Database, column: OldColumn) -> bool:
    return bool(column.identity) and not database.cut_over.gives_up("default", column.table, column.name)


def _index(index: Index) -> Iterator[str]:
    table = index.table
    new, name = quoted(index.made), quoted(index.name)
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
    if index.identity:
        yield f"ALTER TABLE {table} REPLICA IDENTITY USING INDEX {name}"


def _identity(database: Database, column: OldColumn) -> Iterator[str]:
    """An identity's sequence cannot change hands: a new one goes on where the old one is."""
    sequence = column.sequences[0]
    (row,) = database.ask(_SEQUENCE, sequence=sequence)
    own = _plain(without_schema(sequence))
    name = qualified(temporary(own), column.schema)
    options = [f"SEQUENCE NAME {name} START WITH {row.seqstart} INCREMENT BY {row.seqincrement} CACHE {row.seqcache}"]
    if row.seqincrement > 0 and (row.seqmin != 1 or row.seqmax != _INTEGERS[row.type]):
        options.append(f"MINVALUE {row.seqmin} MAXVALUE {row.seqmax}")
    options += ["CYCLE"] if row.seqcycle else []
    always = "ALWAYS" if column.identity == "a" else "BY DEFAULT"
    new = quoted(temporary(column.name))
    yield f"ALTER TABLE {column.table} ALTER COLUMN {new} ADD GENERATED {always} AS IDENTITY ({' '.join(options)})"
    yield f"PERFORM setval({literal(name)}, last_value, is_called) FROM {sequence}"


def _plain(name: str) -> str:
    """A name without its quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
