"""Sequences: how they start, step and end, not where they stand. An identity column's own is read with the column."""

from alembic_online.postgres.catalogue.scope import SCOPE, comment, privileges, users_own

LIMIT = """CASE s.seqtypid WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647
            ELSE 9223372036854775807 END"""


def sequence_options(prefix: str = "") -> str:
    """The attributes of a row `s` of pg_sequence that are not the defaults of its type and direction."""
    return f"""'{prefix}start', nullif(s.seqstart, CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END),
        '{prefix}increment', nullif(s.seqincrement, 1),
        '{prefix}minimum', nullif(s.seqmin, CASE WHEN s.seqincrement > 0 THEN 1 ELSE -1 - {LIMIT} END),
        '{prefix}maximum', nullif(s.seqmax, CASE WHEN s.seqincrement > 0 THEN {LIMIT} ELSE -1 END),
        '{prefix}cache', nullif(s.seqcache, 1),
        '{prefix}cycle', s.seqcycle"""


SQL = (
    SCOPE
    + f"""
SELECT 'sequence', n.schema, '', c.relname::text,
    CASE WHEN t.relnamespace = c.relnamespace THEN ARRAY['column', t.name, a.attname] END,
    json_build_object(
        'type', format_type(s.seqtypid, NULL),
        {sequence_options()},
        'owned by', quote_ident(t.schema) || '.' || quote_ident(t.name) || '.' || quote_ident(a.attname),
        'unlogged', c.relpersistence = 'u',
        'comment', {comment("pg_class", "c.oid")},
        'privileges', {privileges("c.relacl", "s", "c.relowner")},
        'owner', pg_get_userbyid(c.relowner))::text
FROM pg_class c JOIN namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjsubid > 0
    AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
LEFT JOIN relation t ON t.oid = d.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE {users_own("pg_class", "c.oid")} AND d.deptype IS DISTINCT FROM 'i' AND (d.objid IS NULL OR t.oid IS NOT NULL)
"""
)
