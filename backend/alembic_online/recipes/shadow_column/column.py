"""The column that is to be rebuilt, and all that hangs on it, as the catalogue has it (PostgreSQL 16 to 18).

PostgreSQL gives a new column to all partitions or children of a table, and takes the old one from all of them; but what
hangs on the column of each of them is its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row

from alembic_online.errors import RevisionFailed
from alembic_online.recipes.database import Database
from alembic_online.recipes.dependents import Dependents, dependents_of_column

_COLUMN = """
    SELECT a.attnum AS number, quote_ident(a.attname) AS quoted, format_type(a.atttypid, a.atttypmod) AS type,
           c.relkind = 'p' AS partitioned, c.relkind = 'f' AS "foreign", n.nspname::text AS schema,
           c.relname::text AS relation, a.attinhcount > 0 AS inherited, a.attislocal OR a.attinhcount > 1 AS own,
           EXISTS (SELECT FROM pg_depend k WHERE k.classid = 'pg_class'::regclass AND k.objid = c.oid
                   AND k.objsubid = a.attnum AND k.refclassid = 'pg_class'::regclass AND k.refobjid = c.oid
                   AND k.refobjsubid = 0 AND k.deptype = 'i') AS of_key,
           CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "default",
           a.attgenerated <> '' AS generated, a.attidentity::text AS identity,
           nullif(c.reloftype, 0)::regtype::text AS of_type,
           ARRAY(SELECT objid::regclass::text FROM pg_depend WHERE classid = 'pg_class'::regclass AND refobjid = c.oid
                 AND refclassid = 'pg_class'::regclass AND refobjsubid = a.attnum AND deptype IN ('a', 'i')
                 AND objid IN (SELECT seqrelid FROM pg_sequence) ORDER BY deptype DESC, objid) AS sequences
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.oid = to_regclass(:table) AND a.attname = :column AND NOT a.attisdropped
"""
_OBSTACLES = """
    SELECT CASE WHEN k.oid IS NULL THEN pg_describe_object('pg_class'::regclass, indexrelid, 0)
                ELSE pg_describe_object('pg_constraint'::regclass, k.oid, 0) END
    FROM pg_index LEFT JOIN pg_constraint k ON conindid = indexrelid AND conrelid = indrelid
    WHERE indrelid = to_regclass(:table) AND indisexclusion AND :number = ANY (indkey::int2[]) ORDER BY 1
"""


@dataclass(frozen=True)
class OldColumn:
    """One column of one table. Names are as SQL writes them."""

    table: str
    name: str
    number: int
    quoted: str
    type: str
    schema: str
    relation: str
    """The table's own name, plain."""
    partitioned: bool
    """The table has partitions, and no rows of its own."""
    default: str | None
    identity: str
    """`a` for ALWAYS, `d` for BY DEFAULT, else empty."""
    sequences: tuple[str, ...]
    """Those that it owns: one as a rule, the identity's first."""
    dependents: Dependents
    """Views, policies, triggers, ..., which the swap rebuilds."""
    parts: tuple["OldColumn", ...] = ()
    """The same column of the partitions or children, from the top down."""

    @property
    def family(self) -> tuple["OldColumn", ...]:
        """The column, and that of each partition or child."""
        return (self, *self.parts)


def read_column(database: Database, table: str, name: str) -> OldColumn | None:
    """The column, None if it is not there. Raises `RevisionFailed` for what cannot be rebuilt beside it."""
    rows = database.ask(_COLUMN, table=table, column=name)
    if not rows:
        return None
    row = rows[0]
    names = [table, *(part.sql for part in database.partitions(table))]
    family = [(each, row) for each in names for row in database.ask(_COLUMN, table=each, column=name)]
    in_the_way = list(_reasons(family))
    dependents = dependents_of_column(database, [(each.schema, each.relation) for _, each in family], name)
    in_the_way += dependents.others
    for part, each in family:
        in_the_way += [words for (words,) in database.ask(_OBSTACLES, table=part, number=each.number)]
    if in_the_way:
        raise RevisionFailed(
            f"The column {table}.{row.quoted} cannot be rebuilt while it is in use: {', '.join(in_the_way)}.",
            "Drop what depends on it in an earlier operation, and make it again after this one.\n"
            f'Or let the table be locked while it is rewritten: direct = {{"{table}": "why nobody minds"}}',
        )
    columns = [_column(part, name, each, dependents) for part, each in family]
    return replace(columns[0], parts=tuple(columns[1:]))


def _column(table: str, name: str, row: Row[Any], dependents: Dependents) -> OldColumn:
    return OldColumn(
        table=table,
        name=name,
        number=row.number,
        quoted=row.quoted,
        type=row.type,
        schema=row.schema,
        relation=row.relation,
        partitioned=row.partitioned,
        default=row.default,
        identity=row.identity,
        sequences=tuple(row.sequences),
        dependents=dependents,
    )


def _reasons(family: Sequence[tuple[str, Row[Any]]]) -> Iterator[str]:
    row = family[0][1]
    if row.inherited:
        yield "the table has it from the one above it: change that one"
    yield from (f"{table} is a foreign table" for table, each in family[1:] if each.foreign)
    yield from (f"{table} has it from elsewhere too" for table, each in family[1:] if each.own)
    if any(each.of_key for _, each in family):
        yield "it says to which partition a row belongs"
    if row.generated:
        yield "its values are generated"
    if row.of_type is not None:
        yield f"the table is of the type {row.of_type}, and so gets no column beside it"
