"""Row security policies and extended statistics."""

from alembic_online.postgres.catalogue.scope import SCOPE, comment

SQL = (
    SCOPE
    + f"""
SELECT 'policy' AS kind, r.schema, r.name AS owning_table, p.polname::text AS name, ARRAY[r.kind, '', r.name] AS parent,
    json_build_object(
        'command', CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
            WHEN 'd' THEN 'delete' ELSE 'all' END,
        'restrictive', NOT p.polpermissive,
        'roles', (SELECT json_agg(item ORDER BY item COLLATE "C") FROM (
            SELECT CASE o WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END AS item
            FROM unnest(p.polroles) AS o) AS role),
        'using', pg_get_expr(p.polqual, r.oid),
        'check', pg_get_expr(p.polwithcheck, r.oid),
        'comment', {comment("pg_policy", "p.oid")})::text AS attributes
FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT 'statistics', r.schema, r.name,
    CASE WHEN s.stxnamespace = r.relnamespace THEN '' ELSE s.stxnamespace::regnamespace || '.' END || s.stxname,
    ARRAY[r.kind, '', r.name],
    json_build_object(
        'definition', pg_get_statisticsobjdef(s.oid),
        'target', nullif(s.stxstattarget, -1),
        'comment', {comment("pg_statistic_ext", "s.oid")},
        'owner', pg_get_userbyid(s.stxowner))::text
FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
"""
)
