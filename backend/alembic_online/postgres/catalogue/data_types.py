"""Enums, domains, composite types, ranges and base types. Arrays and multiranges come with them."""

from alembic_online.postgres.catalogue.scope import SCOPE, comment, privileges, users_own

SQL = (
    SCOPE
    + f"""
SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite type'
        WHEN 'r' THEN 'range type' ELSE 'base type' END,
    n.schema, '', t.typname::text, NULL::text[],
    json_build_object(
        'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
        'type', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
        'not null', t.typnotnull,
        'default', CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) ELSE t.typdefault END,
        'collation', CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
            THEN t.typcollation::regcollation::text END,
        'subtype', format_type(r.rngsubtype, NULL),
        'subtype operator class', CASE WHEN NOT o.opcdefault THEN format('%I.%I', s.nspname, o.opcname) END,
        'subtype collation', CASE WHEN r.rngcollation <> u.typcollation THEN r.rngcollation::regcollation::text END,
        'canonical function', nullif(r.rngcanonical, 0)::regproc::text,
        'difference function', nullif(r.rngsubdiff, 0)::regproc::text,
        'multirange', r.rngmultitypid::regtype::text,
        'representation', CASE WHEN t.typtype = 'b' THEN concat_ws(', ',
            'input ' || t.typinput::regproc, 'output ' || t.typoutput::regproc,
            'receive ' || nullif(t.typreceive, 0)::regproc, 'send ' || nullif(t.typsend, 0)::regproc,
            'typmod_in ' || nullif(t.typmodin, 0)::regproc, 'typmod_out ' || nullif(t.typmodout, 0)::regproc,
            'analyze ' || nullif(t.typanalyze, 0)::regproc, 'length ' || t.typlen,
            CASE WHEN t.typbyval THEN 'by value' END, 'alignment ' || t.typalign::text,
            'storage ' || t.typstorage::text, 'category ' || t.typcategory::text,
            CASE WHEN t.typispreferred THEN 'preferred' END,
            'element ' || format_type(nullif(t.typelem, 0), NULL), 'delimiter ' || t.typdelim::text) END,
        'comment', {comment("pg_type", "t.oid")},
        'privileges', {privileges("t.typacl", "T", "t.typowner")},
        'owner', pg_get_userbyid(t.typowner))::text
FROM pg_type t JOIN namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_type u ON u.oid = r.rngsubtype
LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc
LEFT JOIN pg_namespace s ON s.oid = o.opcnamespace
WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
    OR EXISTS (SELECT FROM relation c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
  AND {users_own("pg_type", "t.oid")}
"""
)
