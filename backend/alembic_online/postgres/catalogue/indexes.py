"""Indexes of tables and materialized views.

The definition is `pg_get_indexdef` from USING on and without WITH (...): uniqueness, options and tablespace are
attributes of their own, and two indexes that differ by name alone have one definition. The whole of it is `statement`.
An index that a constraint owns has the constraint as its parent.
"""

from alembic_online.postgres.catalogue.scope import SCOPE, comment, sorted_list

# The text of pg_get_indexdef (PostgreSQL 18, ruleutils.c, flatten_reloptions).
OPTIONS = """(SELECT ' WITH (' || string_agg(quote_ident(split_part(o, '=', 1)) || '=' ||
            CASE WHEN quote_ident(v) = v THEN v ELSE quote_literal(v) END, ', ' ORDER BY place) || ')'
        FROM unnest(x.reloptions) WITH ORDINALITY AS option (o, place), substr(o, strpos(o, '=') + 1) AS v)"""

SQL = (
    SCOPE
    + f"""
SELECT 'index', r.schema, r.name, x.relname::text,
    CASE WHEN c.oid IS NULL THEN ARRAY[r.kind, '', r.name] ELSE ARRAY['constraint', r.name, c.conname] END,
    json_build_object(
        'definition', replace(substr(def, strpos(def, target) + length(target)), coalesce({OPTIONS}, ''), ''),
        'statement', def,
        'unique', i.indisunique,
        'primary', i.indisprimary,
        'invalid', NOT i.indisvalid,
        'not ready', NOT i.indisready,
        'clustered', i.indisclustered,
        'replica identity', i.indisreplident,
        'options', {sorted_list("x.reloptions")},
        'tablespace', (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = x.reltablespace),
        'statistics targets', (SELECT json_agg(format('%s: %s', a.attnum, a.attstattarget) ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget >= 0),
        'part of', (SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = x.oid),
        'comment', {comment("pg_class", "x.oid")})::text
FROM relation r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_constraint c ON c.conindid = x.oid AND c.conrelid = r.oid AND c.contype IN ('p', 'u', 'x')
CROSS JOIN LATERAL (SELECT pg_get_indexdef(x.oid) AS def, format('%I.%I ', r.schema, r.name) AS target
    OFFSET 0) AS printed
"""
)
