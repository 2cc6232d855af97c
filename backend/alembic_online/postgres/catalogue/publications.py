"""What ties the database to others: publications, foreign-data wrappers and servers.

User mappings and subscriptions are left out: they hold passwords, and say where the data goes, not what it is.
"""

from alembic_online.postgres.catalogue.scope import SCOPE, WHOLE_DATABASE, comment, privileges, sorted_list, users_own

PUBLISHED_TABLES = """(SELECT json_agg(item ORDER BY item COLLATE "C") FROM (
            SELECT concat_ws(' ', t.prrelid::regclass,
                '(' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                    WHERE a.attrelid = t.prrelid AND a.attnum = ANY (t.prattrs::int2[])) || ')',
                'where ' || pg_get_expr(t.prqual, t.prrelid)) AS item
            FROM pg_publication_rel t WHERE t.prpubid = p.oid) AS published)"""

SQL = (
    SCOPE
    + f"""
SELECT 'publication' AS kind, '' AS schema, '' AS owning_table, p.pubname::text AS name, NULL::text[] AS parent,
    json_build_object(
        'all tables', p.puballtables,
        'operations', to_json(array_remove(ARRAY[
            CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
            CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END], NULL)),
        'via partition root', p.pubviaroot,
        'generated columns', CASE to_jsonb(p) ->> 'pubgencols' WHEN 's' THEN 'stored' END,
        'tables', {PUBLISHED_TABLES},
        'schemas', (SELECT json_agg(n.nspname ORDER BY n.nspname) FROM pg_publication_namespace s
            JOIN pg_namespace n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid),
        'comment', {comment("pg_publication", "p.oid")},
        'owner', pg_get_userbyid(p.pubowner))::text AS attributes
FROM pg_publication p
WHERE {WHOLE_DATABASE} AND {users_own("pg_publication", "p.oid")}
UNION ALL
SELECT 'foreign-data wrapper', '', '', w.fdwname::text, NULL,
    json_build_object(
        'handler', nullif(w.fdwhandler, 0)::regproc::text,
        'validator', nullif(w.fdwvalidator, 0)::regproc::text,
        'options', {sorted_list("w.fdwoptions")},
        'comment', {comment("pg_foreign_data_wrapper", "w.oid")},
        'privileges', {privileges("w.fdwacl", "F", "w.fdwowner")},
        'owner', pg_get_userbyid(w.fdwowner))::text
FROM pg_foreign_data_wrapper w
WHERE {WHOLE_DATABASE} AND {users_own("pg_foreign_data_wrapper", "w.oid")}
UNION ALL
SELECT 'server', '', '', s.srvname::text, NULL,
    json_build_object(
        'foreign-data wrapper', w.fdwname,
        'type', s.srvtype,
        'version', s.srvversion,
        'options', {sorted_list("s.srvoptions")},
        'comment', {comment("pg_foreign_server", "s.oid")},
        'privileges', {privileges("s.srvacl", "S", "s.srvowner")},
        'owner', pg_get_userbyid(s.srvowner))::text
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE {WHOLE_DATABASE} AND {users_own("pg_foreign_server", "s.oid")}
"""
)
