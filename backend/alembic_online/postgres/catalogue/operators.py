"""Collations, operators with their classes and families, casts, and text search dictionaries and configurations."""

from alembic_online.postgres.catalogue.scope import SCOPE, WHOLE_DATABASE, comment, not_part, users_own

COLLATIONS = f"""
SELECT 'collation' AS kind, n.schema, '' AS owning_table, c.collname::text AS name, NULL::text[] AS parent,
    json_build_object(
        'provider', CASE c.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' END,
        'locale', coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale',
            concat_ws(', ', c.collcollate, nullif(c.collctype, c.collcollate))),
        'rules', to_jsonb(c) ->> 'collicurules',
        'nondeterministic', NOT c.collisdeterministic,
        'comment', {comment("pg_collation", "c.oid")},
        'owner', pg_get_userbyid(c.collowner))::text AS attributes
FROM pg_collation c JOIN namespace n ON n.oid = c.collnamespace
WHERE {users_own("pg_collation", "c.oid")}
"""

OPERATORS = f"""
SELECT 'operator', n.schema, '',
    format('%s(%s, %s)', o.oprname, coalesce(format_type(nullif(o.oprleft, 0), NULL), 'NONE'),
        format_type(o.oprright, NULL)),
    NULL,
    json_build_object(
        'function', nullif(o.oprcode, 0)::regprocedure::text,
        'commutator', nullif(o.oprcom, 0)::regoperator::text,
        'negator', nullif(o.oprnegate, 0)::regoperator::text,
        'restriction', nullif(o.oprrest, 0)::regproc::text,
        'join', nullif(o.oprjoin, 0)::regproc::text,
        'hashes', o.oprcanhash,
        'merges', o.oprcanmerge,
        'comment', {comment("pg_operator", "o.oid")},
        'owner', pg_get_userbyid(o.oprowner))::text
FROM pg_operator o JOIN namespace n ON n.oid = o.oprnamespace
WHERE {users_own("pg_operator", "o.oid")}
"""

# What a class is made of belongs to its family; CREATE OPERATOR CLASS makes a family of the same name when it has none.
OPERATOR_FAMILIES = f"""
SELECT 'operator family', n.schema, '', f.opfname || ' using ' || a.amname, NULL,
    json_build_object(
        'members', (SELECT json_agg(item ORDER BY item COLLATE "C") FROM (
            SELECT concat_ws(' ', 'operator', m.amopstrategy, m.amopopr::regoperator,
                'for order by ' || (SELECT format('%I.%I', sn.nspname, s.opfname) FROM pg_opfamily s
                    JOIN pg_namespace sn ON sn.oid = s.opfnamespace WHERE s.oid = m.amopsortfamily)) AS item
            FROM pg_amop m WHERE m.amopfamily = f.oid
            UNION ALL SELECT format('function %s (%s, %s) %s', p.amprocnum, p.amproclefttype::regtype,
                p.amprocrighttype::regtype, p.amproc::regprocedure)
            FROM pg_amproc p WHERE p.amprocfamily = f.oid) AS member),
        'comment', {comment("pg_opfamily", "f.oid")},
        'owner', pg_get_userbyid(f.opfowner))::text
FROM pg_opfamily f JOIN namespace n ON n.oid = f.opfnamespace JOIN pg_am a ON a.oid = f.opfmethod
WHERE {users_own("pg_opfamily", "f.oid")}
UNION ALL
SELECT 'operator class', n.schema, '', c.opcname || ' using ' || a.amname, NULL,
    json_build_object(
        'type', format_type(c.opcintype, NULL),
        'default', c.opcdefault,
        'family', format('%I.%I', s.nspname, f.opfname),
        'storage', format_type(nullif(c.opckeytype, 0), NULL),
        'comment', {comment("pg_opclass", "c.oid")},
        'owner', pg_get_userbyid(c.opcowner))::text
FROM pg_opclass c JOIN namespace n ON n.oid = c.opcnamespace JOIN pg_am a ON a.oid = c.opcmethod
JOIN pg_opfamily f ON f.oid = c.opcfamily JOIN pg_namespace s ON s.oid = f.opfnamespace
WHERE {users_own("pg_opclass", "c.oid")}
"""

# A cast has no schema and no owner; the object ids below 16384 are those of initdb.
CASTS = f"""
SELECT 'cast', '', '', format('%s as %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)), NULL,
    json_build_object(
        'method', CASE c.castmethod WHEN 'f' THEN 'function' WHEN 'i' THEN 'in and out' ELSE 'binary' END,
        'function', nullif(c.castfunc, 0)::regprocedure::text,
        'context', CASE c.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'assignment' ELSE 'explicit' END,
        'comment', {comment("pg_cast", "c.oid")})::text
FROM pg_cast c
WHERE c.oid >= 16384 AND {WHOLE_DATABASE} AND {users_own("pg_cast", "c.oid")} AND {not_part("pg_cast", "c.oid")}
"""

TEXT_SEARCH = f"""
SELECT 'text search dictionary', n.schema, '', d.dictname::text, NULL,
    json_build_object(
        'template', format('%I.%I', s.nspname, t.tmplname),
        'options', d.dictinitoption,
        'comment', {comment("pg_ts_dict", "d.oid")},
        'owner', pg_get_userbyid(d.dictowner))::text
FROM pg_ts_dict d JOIN namespace n ON n.oid = d.dictnamespace
JOIN pg_ts_template t ON t.oid = d.dicttemplate JOIN pg_namespace s ON s.oid = t.tmplnamespace
WHERE {users_own("pg_ts_dict", "d.oid")}
UNION ALL
SELECT 'text search configuration', n.schema, '', c.cfgname::text, NULL,
    json_build_object(
        'parser', format('%I.%I', s.nspname, p.prsname),
        'mappings', (SELECT json_agg(item ORDER BY item COLLATE "C") FROM (
            SELECT t.alias || ': ' || string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS item
            FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
            WHERE m.mapcfg = c.oid GROUP BY t.alias) AS mapping),
        'comment', {comment("pg_ts_config", "c.oid")},
        'owner', pg_get_userbyid(c.cfgowner))::text
FROM pg_ts_config c JOIN namespace n ON n.oid = c.cfgnamespace
JOIN pg_ts_parser p ON p.oid = c.cfgparser JOIN pg_namespace s ON s.oid = p.prsnamespace
WHERE {users_own("pg_ts_config", "c.oid")}
"""

SQL = SCOPE + " UNION ALL ".join((COLLATIONS, OPERATORS, OPERATOR_FAMILIES, CASTS, TEXT_SEARCH))
