"""Primary keys, unique, foreign key, check and exclusion constraints of tables, and checks of domains.

The definition is `pg_get_constraintdef` without the words at its end that have attributes of their own, so that
validating a constraint is one change. Those that PostgreSQL makes for each of the partitions that a foreign key refers
to, beside the one that was written, are left out. NOT NULL is an attribute of the column; a constraint trigger is a
trigger.
"""

from alembic_online.postgres.catalogue.scope import SCOPE, comment, users_own

TRAILING_WORDS = "( NO INHERIT)?( DEFERRABLE)?( INITIALLY DEFERRED)?( NOT ENFORCED)?( NOT VALID)?$"
TYPES = """CASE c.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'
        WHEN 'c' THEN 'check' ELSE 'exclusion' END"""

WRITTEN = """NOT EXISTS (SELECT FROM pg_constraint AS whole
    WHERE whole.oid = {constraint}.conparentid AND whole.conrelid = {constraint}.conrelid)"""
"""The condition that it is not one of those."""

SQL = (
    SCOPE
    + f"""
SELECT 'constraint', o.schema, o.name, c.conname::text, ARRAY[o.kind, '', o.name],
    json_build_object(
        'type', {TYPES},
        'definition', regexp_replace(pg_get_constraintdef(c.oid), '{TRAILING_WORDS}', ''),
        'not valid', NOT c.convalidated AND to_jsonb(c) ->> 'conenforced' IS DISTINCT FROM 'false',
        'not enforced', to_jsonb(c) ->> 'conenforced' = 'false',
        'deferrable', c.condeferrable,
        'initially deferred', c.condeferred,
        'not inherited', c.connoinherit AND c.contype = 'c',
        'inherited', NOT c.conislocal,
        'part of', (SELECT p.conrelid::regclass || ' ' || quote_ident(p.conname) FROM pg_constraint p
            WHERE p.oid = c.conparentid),
        'comment', {comment("pg_constraint", "c.oid")})::text
FROM pg_constraint c
JOIN (
    SELECT r.oid, 'pg_class'::regclass AS catalog, r.kind, r.schema, r.name FROM relation r
    UNION ALL
    SELECT t.oid, 'pg_type'::regclass, 'domain', n.schema, t.typname::text
    FROM pg_type t JOIN namespace n ON n.oid = t.typnamespace
    WHERE t.typtype = 'd' AND {users_own("pg_type", "t.oid")}
) AS o ON o.oid = CASE c.contypid WHEN 0 THEN c.conrelid ELSE c.contypid END
    AND o.catalog = CASE c.contypid WHEN 0 THEN 'pg_class'::regclass ELSE 'pg_type'::regclass END
WHERE c.contype IN ('p', 'u', 'f', 'c', 'x') AND {WRITTEN.format(constraint="c")}
"""
)
