"""The column that is to be made anew, and all that hangs on it, as the catalogue has it (PostgreSQL 16 to 18)."""

from dataclasses import dataclass

from src.safety.errors import RevisionFailed
from src.safety.online.database import Database
from src.safety.online.dependents import Dependents, dependents_of_column

_COLUMN = """
    SELECT a.attnum AS number, quote_ident(a.attname) AS quoted, format_type(a.atttypid, a.atttypmod) AS type,
           a.attnotnull AS not_null, c.relkind = 'p' AS partitioned, n.nspname::text AS schema,
           c.relname::text AS relation,
           EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent)) AS inherits,
           CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "default",
           a.attgenerated <> '' AS generated, a.attidentity::text AS identity,
           (SELECT quote_ident(conname) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'n'
            AND conkey = ARRAY[a.attnum]) AS not_null_name,
           (SELECT objid::regclass::text FROM pg_depend WHERE classid = 'pg_class'::regclass AND refobjid = c.oid
            AND refclassid = 'pg_class'::regclass AND refobjsubid = a.attnum AND deptype IN ('a', 'i')
            AND objid IN (SELECT seqrelid FROM pg_sequence)) AS sequence
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.oid = to_regclass(:table) AND a.attname = :column AND NOT a.attisdropped
"""
_OBSTACLES = """
    SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) FROM (
        SELECT classid, objid FROM pg_depend
        WHERE refclassid = 'pg_class'::regclass AND refobjid = to_regclass(:table) AND refobjsubid = :number
          AND (classid = 'pg_publication_rel'::regclass
               OR classid = 'pg_constraint'::regclass AND objid IN (SELECT oid FROM pg_constraint WHERE contype = 'x'))
        UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index
        WHERE indrelid = to_regclass(:table) AND indisreplident AND :number = ANY (indkey::int2[])
    ) AS d ORDER BY 1
"""


@dataclass(frozen=True)
class OldColumn:
    """One column of one table. Names are as SQL writes them."""

    table: str
    name: str
    number: int
    quoted: str
    type: str
    not_null: bool
    schema: str
    default: str | None
    identity: str
    """`a` for ALWAYS, `d` for BY DEFAULT, else empty."""
    not_null_name: str | None
    """Of its NOT NULL constraint, which has a name from PostgreSQL 18 on."""
    sequence: str | None
    """The one that it owns."""
    dependents: Dependents
    """Views, policies, triggers, ..., which the swap makes anew."""


def read_column(database: Database, table: str, name: str) -> OldColumn | None:
    """The column, None if it is not there. Raises `RevisionFailed` for what cannot be made anew beside it."""
    rows = database.ask(_COLUMN, table=table, column=name)
    if not rows:
        return None
    row = rows[0]
    in_the_way = list(_reasons(row.partitioned, row.inherits, row.generated))
    dependents = dependents_of_column(database, row.schema, row.relation, name)
    in_the_way += dependents.others
    in_the_way += [description for (description,) in database.ask(_OBSTACLES, table=table, number=row.number)]
    if in_the_way:
        raise RevisionFailed(
            f"The column {table}.{row.quoted} cannot be made anew while it is in use: {', '.join(in_the_way)}.",
            "Drop what depends on it in an earlier operation, and make it again after this one.\n"
            f'Or let the table be locked while it is rewritten: direct = {{"{table}": "why nobody minds"}}',
        )
    return OldColumn(
        table=table,
        name=name,
        number=row.number,
        quoted=row.quoted,
        type=row.type,
        not_null=row.not_null,
        schema=row.schema,
        default=row.default,
        identity=row.identity,
        not_null_name=row.not_null_name,
        sequence=row.sequence,
        dependents=dependents,
    )


def _reasons(partitioned: bool, inherits: bool, generated: bool) -> list[str]:
    found = {
        "the table is partitioned": partitioned,
        "the table inherits, or is inherited from": inherits and not partitioned,
        "its values are generated": generated,
    }
    return [words for words, is_so in found.items() if is_so]
