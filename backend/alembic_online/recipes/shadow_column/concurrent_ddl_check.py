"""Whether the swap finds what was made for the new column: others may make partitions, indexes, ... meanwhile.

What came too late would go with the old column without a word. So the swap looks once more, when nobody can change
anything, and where something has changed the revision is begun again, which does what is missing.
"""

from alembic_online.recipes.changed_meanwhile import fails_unless
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.shadow_column.pending_columns import exchanged_numbers

# By name and shape, not by OID: the cut-over may give another column its type above this swap, without a rewrite, and
# PostgreSQL makes all indexes, constraints and statistics of that again then (ATPostAlterTypeCleanup, 16 to 18).
# A column's CHECK and foreign keys have gone over to the new one before the swap: none is left, but for those that lead
# back to the table itself.
_SEEN = """
    WITH RECURSIVE family AS (
        SELECT to_regclass({table})::oid AS oid
        UNION SELECT inhrelid FROM pg_inherits JOIN family ON inhparent = oid WHERE NOT inhdetachpending
    ), columns AS (
        SELECT attrelid, attnum, attnotnull, CASE WHEN {default} THEN pg_get_expr(adbin, adrelid) END AS value
        FROM family JOIN pg_attribute ON attrelid = oid AND attname = {column}
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    )
    SELECT md5(string_agg(words, ',' ORDER BY words)) FROM (
        SELECT concat_ws(' ', attrelid, attnotnull, value) AS words FROM columns
        UNION ALL SELECT concat_ws(' ', attrelid, classid, coalesce(conname, relname, stxname, objid::text), contype,
            indkey, indisunique, indnkeyatts, indoption, indpred IS NULL, stxkeys)
        FROM pg_depend JOIN columns
            ON refclassid = 'pg_class'::regclass AND refobjid = attrelid AND refobjsubid = attnum
        LEFT JOIN pg_constraint k ON classid = 'pg_constraint'::regclass AND k.oid = objid
        LEFT JOIN pg_class c ON classid = 'pg_class'::regclass AND c.oid = objid AND c.relkind IN ('i', 'I')
        LEFT JOIN pg_index ON indexrelid = coalesce(c.oid, conindid)
        LEFT JOIN pg_statistic_ext x ON classid = 'pg_statistic_ext'::regclass AND x.oid = objid
        WHERE (classid IN ('pg_class'::regclass, 'pg_statistic_ext'::regclass) AND objid NOT IN (
                SELECT oid FROM pg_class WHERE replace(lower(relname), '"', '') IN ({gone}))
           OR k.conrelid = attrelid AND (k.contype IN ('p', 'u') AND replace(lower(conname), '"', '') NOT IN ({keys})
               OR k.contype NOT IN ('n', 'p', 'u') AND {others}
                  AND NOT EXISTS (SELECT FROM family WHERE oid = k.confrelid)))
           AND (classid, objid) NOT IN (SELECT s.classid, s.objid FROM pg_depend s
                WHERE s.refclassid = 'pg_class'::regclass AND {exchanged})
    ) AS seen
"""


def seen(database: Database, table: str, name: str) -> str:
    """What there is now, as a fingerprint; but for what the revision gives up before the swap."""
    query = _SEEN.format(table=":table", column=":name", others="false", **_given_up(database, table, name))
    return str(database.ask(query, table=table, name=name)[0][0])


def refuse_unless(before: str, column: OldColumn, database: Database) -> str:
    """PL/pgSQL for the swap: it fails, so that the revision is begun again."""
    given_up = _given_up(database, column.table, column.name)
    query = _SEEN.format(table=literal(column.table), column=literal(column.name), others="true", **given_up)
    words = f"Somebody has changed {column.table} or its {column.quoted} meanwhile"
    return fails_unless(query, before, words)


def _given_up(database: Database, table: str, name: str) -> dict[str, str]:
    default = "false" if database.cut_over.gives_up("default", table, name) else "true"
    gone = [*database.cut_over.indexes_before_swap(), *database.cut_over.names_given_up("sequence")]
    # What goes by its name is no loss, whatever it is by now, and whether it goes before this swap or after it.
    keys = database.cut_over.keys_dropped(table)
    # Of what hangs on another column too, that one's swap sees to it, and changes it before this one.
    numbers = exchanged_numbers(database, table)
    exchanged = f"(s.refobjid, s.refobjsubid) IN ({numbers})" if numbers else "false"
    return {
        "default": default,
        "gone": ", ".join(map(literal, gone)) or "''",
        "keys": ", ".join(map(literal, keys)) or "''",
        "exchanged": exchanged,
    }
