"""Columns of tables and views, and the attributes of composite types.

NOT NULL is an attribute here: from PostgreSQL 18 on it is also a constraint with a
name, which survives a rename of the column; up to 17 there is none.
"""

from alembic_online.postgres.catalogue.scope import SCOPE, column_options, comment, privileges, sorted_list
from alembic_online.postgres.catalogue.sequences import sequence_options

STORAGE = "CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END"

SQL = (
    SCOPE
    + f"""
SELECT 'column', r.schema, r.name, a.attname::text, ARRAY[r.kind, '', r.name],
    json_build_object(
        'type', format_type(a.atttypid, a.atttypmod),
        'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
        'not null', a.attnotnull,
        'not null not valid', n.convalidated = false,
        'not null not inherited', n.connoinherit,
        'not null name', n.conname,
        'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
        'generated', CASE WHEN a.attgenerated <> '' THEN format('ALWAYS AS (%s) %s',
            pg_get_expr(d.adbin, d.adrelid), CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END) END,
        'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
        {sequence_options("identity ")},
        'identity sequence', i.objid::regclass::text,
        'storage', CASE WHEN a.attstorage <> t.typstorage THEN {STORAGE} END,
        'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
        'statistics target', nullif(a.attstattarget, -1),
        'options', {sorted_list(column_options("a.attoptions"))},
        'foreign options', {sorted_list("a.attfdwoptions")},
        'inherited', NOT a.attislocal,
        'comment', {comment("pg_class", "r.oid", "a.attnum")},
        'privileges', {privileges("a.attacl", "c", "r.relowner")},
        'position', a.attnum)::text
FROM relation r
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_constraint n ON n.conrelid = a.attrelid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum]
LEFT JOIN pg_depend i ON a.attidentity <> '' AND i.refclassid = 'pg_class'::regclass AND i.refobjid = a.attrelid
    AND i.refobjsubid = a.attnum AND i.classid = 'pg_class'::regclass AND i.deptype = 'i'
LEFT JOIN pg_sequence s ON s.seqrelid = i.objid
"""
)
