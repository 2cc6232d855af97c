"""Indexes with their constraints, and statistics, made for the new table under their final names."""

from dataclasses import dataclass

from alembic_online.backfill.keyset import KEY_OF_TABLE
from alembic_online.recipes.database import Database
from alembic_online.recipes.shadow_table.source_table import OldTable

_INDEXES = """
    WITH printed AS (
        SELECT x.*, i.relname, i.reltablespace, n.nspname AS schema, t.relname AS "table",
               CASE WHEN x.indisunique THEN 'CREATE UNIQUE INDEX' ELSE 'CREATE INDEX' END AS head,
               obj_description(i.oid, 'pg_class') AS comment
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace WHERE x.indrelid = to_regclass(:table)
    )
    SELECT head, quote_ident(relname) AS name,
           substr(pg_get_indexdef(indexrelid), length(format('%s %I ON %I.%I ', head, relname, schema, "table")) + 1)
           AS rest,
           array_remove(ARRAY[
               CASE WHEN reltablespace <> 0 THEN format('ALTER INDEX %s.%I SET TABLESPACE %I', CAST(:shadow AS text),
                   relname, (SELECT spcname FROM pg_tablespace s WHERE s.oid = reltablespace)) END,
               CASE WHEN k.oid IS NOT NULL THEN format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I%s%s',
                   CAST(:new AS text), k.conname, CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,
                   relname, CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END,
                   CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END) END,
               'COMMENT ON CONSTRAINT ' || quote_ident(k.conname) || ' ON ' || CAST(:new AS text) || ' IS '
                   || quote_literal(obj_description(k.oid, 'pg_constraint')),
               'COMMENT ON INDEX ' || CAST(:shadow AS text) || '.' || quote_ident(relname) || ' IS '
                   || quote_literal(comment),
               CASE WHEN indisclustered THEN format('ALTER TABLE %s CLUSTER ON %I', CAST(:new AS text), relname) END,
               CASE WHEN indisreplident THEN format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I',
                   CAST(:new AS text), relname) END
           ] || ARRAY(SELECT format('ALTER INDEX %s.%I ALTER COLUMN %s SET STATISTICS %s', CAST(:shadow AS text),
                                    relname, attnum, attstattarget)
                      FROM pg_attribute WHERE attrelid = indexrelid AND coalesce(attstattarget, -1) <> -1), NULL)
           AS after,
           indexrelid::regclass::text AS sql, EXISTS (
               SELECT FROM pg_attribute a WHERE a.attrelid = indrelid AND a.attname = ANY (CAST(:gone AS text[]))
                 AND (a.attnum = ANY (indkey::int2[]) OR EXISTS (
                     SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = indexrelid
                     AND refclassid = 'pg_class'::regclass AND refobjid = indrelid AND refobjsubid = a.attnum)))
           AS goes, k.conname::text AS "constraint",
           indexrelid = (SELECT key.indexrelid FROM ({key}) AS key) AS is_key
    FROM printed LEFT JOIN pg_constraint k
        ON k.conindid = indexrelid AND k.conrelid = indrelid AND k.contype IN ('p', 'u')
    -- of two that are alike, PostgreSQL attaches the older one to the index of the table above
    ORDER BY EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid) DESC, relname
"""
_STATISTICS = """
    SELECT format('CREATE STATISTICS %s.%I%s FROM %s', CAST(:shadow AS text), s.stxname,
               substr(head, length(format('CREATE STATISTICS %I.%I', n.nspname, s.stxname)) + 1), CAST(:new AS text))
           AS made,
           CASE WHEN coalesce((to_jsonb(s) ->> 'stxstattarget')::int, -1) <> -1 THEN format(
               'ALTER STATISTICS %s.%I SET STATISTICS %s', CAST(:shadow AS text), s.stxname,
               to_jsonb(s) ->> 'stxstattarget') END AS target,
           CASE WHEN obj_description(s.oid, 'pg_statistic_ext') IS NOT NULL THEN format(
               'COMMENT ON STATISTICS %s.%I IS %L', CAST(:shadow AS text), s.stxname,
               obj_description(s.oid, 'pg_statistic_ext')) END AS comment,
           format('ALTER STATISTICS %s.%I SET SCHEMA %I', CAST(:shadow AS text), s.stxname, n.nspname) AS moved
    FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace CROSS JOIN LATERAL (
        SELECT left(def, -length(' FROM ' || s.stxrelid::regclass)) FROM pg_get_statisticsobjdef(s.oid) AS def
    ) AS printed (head)
    WHERE s.stxrelid = to_regclass(:table) AND NOT EXISTS (
        SELECT FROM pg_depend d JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass
          AND d.refobjid = s.stxrelid AND a.attname = ANY (CAST(:gone AS text[])))
    ORDER BY s.stxname
"""
_REPLICA_IDENTITY = """
    SELECT format('ALTER TABLE %s REPLICA IDENTITY %s', CAST(:new AS text),
                  CASE relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
    FROM pg_class WHERE oid = to_regclass(:table) AND relreplident IN ('f', 'n')
"""


@dataclass(frozen=True)
class Carried:
    """What is made for the new table before the swap."""

    key: list[str]
    """The index that it is filled by."""
    filled: list[str]
    """What is made when the rows are there."""
    moved: list[str]
    """What the swap does with it."""


def carried(database: Database, old: OldTable, *, gone_above: bool = False) -> Carried:
    """Indexes, their constraints, statistics, replica identity; but for what goes with a column that is dropped."""
    given = {"table": old.sql, "new": old.new, "shadow": old.shadow}
    on_columns = {**given, "gone": list(old.dropped)}
    key, filled, moved = [], [], []
    for row in database.ask(_INDEXES.replace("{key}", KEY_OF_TABLE), **on_columns):
        # One that a line above drops is there until its own line, or the one that makes it again, finds it.
        drops_index = database.cut_over.gives_up("index", old.sql, row.sql)
        if drops_index and gone_above:
            continue
        given_up = drops_index or (
            row.constraint is not None and database.cut_over.gives_up("constraint", old.sql, row.constraint)
        )
        if row.goes and not given_up:
            continue
        if row.is_key:
            key.append(f"{row.head} {row.name} ON {old.new} {row.rest}")
        else:
            filled.append(f"{row.head} CONCURRENTLY {row.name} ON {old.new} {row.rest}")
        filled += row.after
    filled += [statement for (statement,) in database.ask(_REPLICA_IDENTITY, **given)]
    for row in database.ask(_STATISTICS, **on_columns):
        filled += filter(None, (row.made, row.target, row.comment))
        moved.append(row.moved)
    return Carried(key, filled, moved)
