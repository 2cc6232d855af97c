"""The tables of a database as somebody must know them who wants to put a row into each: asked of PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from alembic_online.postgres.sql.verbatim import run_as_written
from alembic_online.runtime.history import BOOKKEEPING


@dataclass(frozen=True)
class Column:
    """One column that may be given a value."""

    name: str
    type: str
    """As SQL writes it, with its length."""
    category: str
    """PostgreSQL's `typcategory`, of the domain's own type for a domain: N number, S string, E enum, ..."""
    labels: tuple[str, ...]
    """Of its enum."""
    required: bool
    default: str | None
    domain_check: str
    """The definitions of its domain's checks."""
    element: str
    """The type of an array's elements."""


@dataclass(frozen=True)
class Constraint:
    """A constraint, or a unique index."""

    name: str
    type: str
    """PostgreSQL's `contype`: p, u, f, c, x; an index is u."""
    columns: tuple[str, ...]
    definition: str
    table: str
    """The one that a foreign key refers to, else empty."""
    referred: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table, its name as SQL writes it with its schema."""

    name: str
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...]

    @property
    def short(self) -> str:
        """The name as people write it in `loses` and in hints."""
        return self.name.removeprefix("public.").replace('"', "")


_TABLES = """
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND c.relname <> ALL (CAST(:ours AS text[]))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND d.deptype = 'e')
"""
_COLUMNS = text(
    f"""
    WITH tables AS ({_TABLES})
    SELECT tables.name, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), b.typcategory::text,
      ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder),
      (a.attnotnull OR t.typnotnull), pg_get_expr(d.adbin, d.adrelid),
      coalesce((SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_constraint k WHERE k.contypid = t.oid), ''),
      CASE WHEN b.typelem <> 0 THEN format_type(b.typelem, NULL) ELSE '' END, a.attidentity <> ''
    FROM tables JOIN pg_attribute a ON a.attrelid = tables.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attgenerated = '' AND a.attidentity <> 'a' ORDER BY tables.name, a.attname
    """
)
_NAMES = """
    ARRAY(SELECT quote_ident(a.attname) FROM unnest({keys}) WITH ORDINALITY AS named (attnum, place)
      JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = named.attnum ORDER BY named.place)
"""
_CONSTRAINTS = text(
    f"""
    WITH tables AS ({_TABLES})
    SELECT tables.name, k.conname::text, k.contype::text, {_NAMES.format(keys="k.conkey", table="k.conrelid")},
      pg_get_constraintdef(k.oid), coalesce(r.name, ''), {_NAMES.format(keys="k.confkey", table="k.confrelid")}
    FROM tables JOIN pg_constraint k ON k.conrelid = tables.oid LEFT JOIN tables r ON r.oid = k.confrelid
    WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
    UNION ALL
    SELECT tables.name, c.relname::text, 'u', {_NAMES.format(keys="i.indkey::int2[]", table="i.indrelid")},
      pg_get_indexdef(i.indexrelid), '', ARRAY[]::text[]
    FROM tables JOIN pg_index i ON i.indrelid = tables.oid AND i.indisunique JOIN pg_class c ON c.oid = i.indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
    ORDER BY 1, 2
    """
)


def rows_of(connection: Connection, sql: str) -> Sequence[Sequence[Any]]:
    """The rows of SQL in which names of tables and columns stand: `:` and `%` are not parameters there."""
    result = run_as_written(connection, sql)
    return result.all() if result.returns_rows else ()


def read_tables(connection: Connection) -> dict[str, Table]:
    """Every table of the database but the migrations' own and those of extensions, those referred to first."""
    ours = {"ours": list(BOOKKEEPING)}
    columns: dict[str, list[Column]] = {}
    for table, name, type_, category, labels, required, default, check, element, identity in connection.execute(
        _COLUMNS, ours
    ):
        given = "nextval" if identity else default
        column = Column(name, type_, category, tuple(labels), required, given, check, element)
        columns.setdefault(table, []).append(column)
    constraints: dict[str, list[Constraint]] = {}
    for table, name, type_, keys, definition, referred, theirs in connection.execute(_CONSTRAINTS, ours):
        constraint = Constraint(name, type_, tuple(keys), definition, referred, tuple(theirs))
        constraints.setdefault(table, []).append(constraint)
    tables = {name: Table(name, tuple(found), tuple(constraints.get(name, ()))) for name, found in columns.items()}
    return {table.name: table for table in _referred_first(tables)}


def _referred_first(tables: dict[str, Table]) -> list[Table]:
    placed: list[Table] = []
    waiting = dict(tables)
    while waiting:
        ready = [table for table in waiting.values() if not _refers_to(table) & (waiting.keys() - {table.name})]
        for table in ready or list(waiting.values())[:1]:  # a circle begins anywhere
            placed.append(waiting.pop(table.name))
    return placed


def _refers_to(table: Table) -> set[str]:
    return {constraint.table for constraint in table.constraints if constraint.type == "f"}
