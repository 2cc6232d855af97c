"""Tables of every sort, views and materialized views."""

from alembic_online.postgres.catalogue.scope import SCOPE, comment, privileges, sorted_list

OPTIONS = """r.reloptions || (SELECT array_agg('toast.' || o) FROM pg_class t, unnest(t.reloptions) AS o
            WHERE t.oid = r.reltoastrelid)"""

SQL = (
    SCOPE
    + f"""
SELECT r.kind, r.schema, '', r.name, NULL::text[],
    json_build_object(
        'definition', CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END,
        'unpopulated', NOT r.relispopulated,
        'partitioned by', CASE WHEN r.relkind = 'p' THEN pg_get_partkeydef(r.oid) END,
        'partition', CASE WHEN r.relispartition THEN
            (SELECT i.inhparent::regclass::text || ' ' || pg_get_expr(r.relpartbound, r.oid)
                || CASE WHEN i.inhdetachpending THEN ' DETACH PENDING' ELSE '' END
             FROM pg_inherits i WHERE i.inhrelid = r.oid) END,
        'inherits', CASE WHEN NOT r.relispartition THEN
            (SELECT json_agg(i.inhparent::regclass::text ORDER BY i.inhseqno)
             FROM pg_inherits i WHERE i.inhrelid = r.oid) END,
        'of type', nullif(r.reloftype, 0)::regtype::text,
        'unlogged', r.relpersistence = 'u',
        'options', {sorted_list(OPTIONS)},
        'tablespace', (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = r.reltablespace),
        'access method', (SELECT nullif(a.amname, 'heap') FROM pg_am a WHERE a.oid = r.relam),
        'replica identity', CASE WHEN r.relkind IN ('r', 'p') THEN
            CASE r.relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' END END,
        'row security', r.relrowsecurity,
        'row security forced', r.relforcerowsecurity,
        'server', s.srvname,
        'foreign options', {sorted_list("f.ftoptions")},
        'comment', {comment("pg_class", "r.oid")},
        'privileges', {privileges("r.relacl", "r", "r.relowner")},
        'owner', pg_get_userbyid(r.relowner))::text
FROM relation r
LEFT JOIN pg_foreign_table f ON f.ftrelid = r.oid
LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
WHERE r.relkind <> 'c'
"""
)
