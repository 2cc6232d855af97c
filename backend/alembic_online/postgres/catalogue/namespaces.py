"""Extensions, schemas and default privileges.

The extensions are always in, also when schemas are asked for: what a schema holds may need them. Default privileges
name the role whose objects they are for, unless that is the owner of the database.
"""

from alembic_online.postgres.catalogue.scope import SCOPE, comment, grants, privileges, users_own

# In every new database all may use `public` (PostgreSQL 16 to 18, initdb): that nobody may is a departure.
_DEFAULT = """CASE n.schema WHEN 'public' THEN acldefault('n', s.nspowner) || makeaclitem(0, s.nspowner, 'USAGE', false)
        ELSE acldefault('n', s.nspowner) END"""

SQL = (
    SCOPE
    + f"""
SELECT 'extension' AS kind, '' AS schema, '' AS owning_table, e.extname::text AS name, NULL::text[] AS parent,
    json_build_object(
        'version', e.extversion,
        'schema', s.nspname,
        'comment', {comment("pg_extension", "e.oid")},
        'owner', pg_get_userbyid(e.extowner))::text AS attributes
FROM pg_extension e JOIN pg_namespace s ON s.oid = e.extnamespace
UNION ALL
SELECT 'schema', '', '', n.schema, NULL,
    json_build_object(
        'comment', {comment("pg_namespace", "n.oid")},
        'privileges', {privileges("s.nspacl", "n", "s.nspowner", default_acl=_DEFAULT)},
        'owner', pg_get_userbyid(s.nspowner))::text
FROM namespace n JOIN pg_namespace s ON s.oid = n.oid
WHERE {users_own("pg_namespace", "n.oid")}
UNION ALL
SELECT 'default privileges', coalesce(n.schema, ''), '',
    CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'routines'
        WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END
    || CASE d.defaclrole WHEN b.datdba THEN '' ELSE ' of ' || quote_ident(pg_get_userbyid(d.defaclrole)) END,
    NULL,
    json_build_object(
        'privileges', (SELECT json_agg(item ORDER BY item COLLATE "C")
            FROM ({grants("d.defaclacl", "d.defaclrole")}) AS granted))::text
FROM pg_default_acl d JOIN pg_database b ON b.datname = current_database()
LEFT JOIN namespace n ON n.oid = d.defaclnamespace
WHERE n.oid IS NOT NULL OR d.defaclnamespace = 0 AND CAST(:schemas AS text[]) IS NULL
"""
)
