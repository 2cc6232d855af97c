"""What hangs on the old column, made again for the new one under a name of its own until the two are swapped."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, quoted, temporary
from alembic_online.recipes.partitioned_index import is_attached
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.shadow_column.pending_columns import Exchanged, with_column
from alembic_online.recipes.step import Step

_INDEXES = """
    SELECT i.relname::text AS name, n.nspname::text AS schema, x.indisunique AS is_unique,
           k.conname::text AS "constraint", x.indisclustered AS clustered,
           x.indisreplident AS identity,
           k.contype::text AS kind, coalesce(k.condeferrable, false) AS deferrable,
           coalesce(k.condeferred, false) AS deferred,
           substr(pg_get_indexdef(i.oid), length('CREATE ' || CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END
                  || 'INDEX ' || quote_ident(i.relname)) + 1) AS rest,
           obj_description(i.oid, 'pg_class') AS comment, obj_description(k.oid, 'pg_constraint') AS constraint_comment,
           i.relkind = 'I' AS partitioned, pg_get_constraintdef(k.oid) AS definition,
           above.relname::text AS above, above.relnamespace::regnamespace::text AS schema_above,
           ARRAY(SELECT format('%s SET STATISTICS %s', attnum, attstattarget) FROM pg_attribute
                 WHERE attrelid = i.oid AND coalesce(attstattarget, -1) <> -1) AS targets,
           ARRAY(SELECT a.attname::text FROM pg_attribute a JOIN pg_depend d ON d.refobjid = a.attrelid
                 AND d.refobjsubid = a.attnum AND d.refclassid = 'pg_class'::regclass AND (d.classid, d.objid) IN
                     (('pg_class'::regclass, i.oid), ('pg_constraint'::regclass, k.oid))
                 WHERE a.attrelid = x.indrelid) AS columns
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
    LEFT JOIN pg_constraint k ON k.conindid = i.oid AND k.contype IN ('p', 'u') AND k.conrelid = x.indrelid
    LEFT JOIN pg_inherits h ON h.inhrelid = i.oid LEFT JOIN pg_class above ON above.oid = h.inhparent
    WHERE x.indrelid = to_regclass(:table) AND EXISTS (
        SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = x.indrelid
        AND d.refobjsubid = :number AND (d.classid, d.objid) IN
            (('pg_class'::regclass, i.oid), ('pg_constraint'::regclass, k.oid)))
    ORDER BY i.relname
"""
# A partition that is made meanwhile comes with an index of its own, under a name that PostgreSQL makes up.
_CAME = """
    SELECT indexrelid::regclass::text AS sql FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
    JOIN pg_inherits h ON h.inhrelid = x.indexrelid
    WHERE x.indrelid = to_regclass(:table) AND h.inhparent = to_regclass(:above) AND c.relname <> :name
"""
_STATISTICS = """
    SELECT s.stxname::text AS name, n.nspname::text AS schema, obj_description(s.oid, 'pg_statistic_ext') AS comment,
           substr(pg_get_statisticsobjdef(s.oid), length(format('CREATE STATISTICS %I.%I', n.nspname, s.stxname)) + 1)
           AS rest, nullif((to_jsonb(s) ->> 'stxstattarget')::int, -1) AS target,
           ARRAY(SELECT a.attname::text FROM pg_attribute a JOIN pg_depend d ON d.refobjid = a.attrelid
                 AND d.refobjsubid = a.attnum AND d.refclassid = 'pg_class'::regclass
                 AND d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid
                 WHERE a.attrelid = s.stxrelid) AS columns
    FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
    WHERE s.stxrelid = to_regclass(:table) AND EXISTS (
        SELECT FROM pg_depend WHERE classid = 'pg_statistic_ext'::regclass AND objid = s.oid
        AND refobjid = s.stxrelid AND refobjsubid = :number)
    ORDER BY s.stxname
"""


@dataclass(frozen=True)
class Index:
    """One that holds the old column; with a `constraint` it is a primary key's or a unique constraint's."""

    table: str
    name: str
    made: str
    """The name of the new one until the swap."""
    schema: str
    constraint: str | None
    kind: str | None
    deferrable: bool
    deferred: bool
    clustered: bool
    identity: bool
    """By it subscribers know a row."""
    constraint_comment: str | None
    definition: str
    """Of the constraint."""
    partitioned: bool
    """It has no rows; of a constraint it is made in the swap, of those of the partitions."""


def indexes(database: Database, column: OldColumn) -> Iterator[tuple[Index, list[Step]]]:
    """Each index, from the top down, and the steps that make it for the new column."""
    before = Exchanged(database, column)
    for each in column.family:
        for row in database.ask(_INDEXES, table=each.table, number=each.number):
            if row.name.lower() in database.cut_over.indexes_before_swap() or before.is_new(row):
                continue
            index = Index(
                each.table,
                row.name,
                before.made(row, row.name),
                row.schema,
                row.constraint,
                row.kind,
                row.deferrable,
                row.deferred,
                row.clustered,
                row.identity,
                row.constraint_comment,
                row.definition,
                row.partitioned,
            )
            yield index, [] if index.partitioned and index.constraint else list(_made(row, each, before, database))


def _made(row: Row[Any], column: OldColumn, before: Exchanged, database: Database) -> Iterator[Step]:
    made = before.made(row, row.name)
    new = quoted(made)
    name = f"{quoted(row.schema)}.{new}"
    above = f"{row.schema_above}.{quoted(before.made(row, row.above))}" if row.above and row.constraint is None else ""
    came = database.ask(_CAME, table=column.table, above=above, name=made) if above else ()
    rest = with_column(before.written(row), column.quoted, quoted(temporary(column.name)))
    head = f"CREATE {'UNIQUE ' if row.is_unique else ''}INDEX {'' if row.partitioned else 'CONCURRENTLY '}"
    # The one of a partitioned table is valid when all those below are attached.
    there = f"SELECT {'true' if row.partitioned else 'indisvalid'} FROM pg_index WHERE indexrelid"
    yield Step(
        sql=f"ALTER INDEX {came[0].sql} RENAME TO {new}" if came else f"{head}{new}{rest}",
        unless=f"SELECT coalesce(({there} = to_regclass({literal(name)})), false)",
    )
    yield from (Step(sql=f"ALTER INDEX {name} ALTER COLUMN {target}") for target in row.targets)
    if row.comment is not None:
        yield Step(sql=f"COMMENT ON INDEX {name} IS {literal(row.comment)}")
    if above:
        yield Step(sql=f"ALTER INDEX {above} ATTACH PARTITION {name}", unless=is_attached(name))


def statistics(database: Database, column: OldColumn) -> Iterator[tuple[str, list[Step]]]:
    """For each statistics object the statement that gives the new one its name, and the steps that make it."""
    before = Exchanged(database, column)
    for each in column.family:
        for row in database.ask(_STATISTICS, table=each.table, number=each.number):
            if not before.is_new(row):
                name = f"{quoted(row.schema)}.{quoted(before.made(row, row.name))}"
                yield f"ALTER STATISTICS {name} RENAME TO {quoted(row.name)}", list(_statistics(row, column, before))


def _statistics(row: Row[Any], column: OldColumn, before: Exchanged) -> Iterator[Step]:
    made = before.made(row, row.name)
    name = f"{quoted(row.schema)}.{quoted(made)}"
    rest = with_column(before.written(row), column.quoted, quoted(temporary(column.name)))
    there = (
        f"SELECT EXISTS (SELECT FROM pg_statistic_ext WHERE stxname = {literal(made)}"
        f" AND stxnamespace = {literal(quoted(row.schema))}::regnamespace)"
    )
    yield Step(sql=f"CREATE STATISTICS {name}{rest}", unless=there)
    if row.target is not None:
        yield Step(sql=f"ALTER STATISTICS {name} SET STATISTICS {row.target}")
    if row.comment is not None:
        yield Step(sql=f"COMMENT ON STATISTICS {name} IS {literal(row.comment)}")
