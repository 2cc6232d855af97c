"""The queries of `catalogue_facts`. No lock but ACCESS SHARE; PostgreSQL 16 to 18."""

from sqlalchemy import text

from alembic_online.postgres.catalogue.constraints import WRITTEN

BEGIN = text(
    """
    SELECT to_regclass(:history)::bigint, count(set_config(key, value, true))
    FROM json_each_text(CAST(:settings AS json))
    """
)

_FIRST = 16384
"""PostgreSQL's FirstNormalObjectId: what is numbered below it is its own, and thousands of rows."""


def _objects(only: str = "") -> str:
    """All that has a key, as the beginning of a query; `only` is one more condition on `{}`, the catalogue."""
    return f"""
    WITH member AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
    namespace AS (
      SELECT oid, nspname::text AS schema FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    ), relation AS (
      SELECT c.tableoid::bigint AS class, c.oid, c.xmin, n.schema, c.relname::text AS name, c.relkind, c.relacl,
        c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relpartbound
      FROM pg_class c JOIN namespace n ON n.oid = c.relnamespace
      WHERE c.oid >= {_FIRST} AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c', 'S')
        AND c.relname <> ALL (string_to_array(:bookkeeping, ','))
        AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
        {only.format("c")}
    ), type AS (
      SELECT t.tableoid::bigint AS class, t.oid, t.xmin, n.schema, t.typname::text AS name,
        t.typtype, t.typbasetype, t.typtypmod
      FROM pg_type t JOIN namespace n ON n.oid = t.typnamespace
      WHERE t.oid >= {_FIRST} AND t.typtype IN ('e', 'd', 'r')
        AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_type'::regclass AND objid = t.oid)
        {only.format("t")}
    ), function AS (
      SELECT p.tableoid::bigint AS class, p.oid, p.xmin, n.schema, p.proname::text AS name, p.prosrc
      FROM pg_proc p JOIN namespace n ON n.oid = p.pronamespace
      WHERE p.oid >= {_FIRST} AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
        {only.format("p")}
    )"""


VERSIONS = text(
    f"""
    {_objects()}, part (whole, class, number, xmin) AS (
      SELECT oid, class, oid::bigint, xmin FROM relation
      UNION ALL SELECT attrelid, tableoid::bigint, attnum, xmin FROM pg_attribute
        WHERE attrelid >= {_FIRST} AND attnum > 0
      UNION ALL SELECT adrelid, tableoid::bigint, oid::bigint, xmin FROM pg_attrdef WHERE adrelid >= {_FIRST}
      UNION ALL SELECT conrelid, tableoid::bigint, oid::bigint, xmin FROM pg_constraint WHERE conrelid >= {_FIRST}
      UNION ALL SELECT indrelid, tableoid::bigint, indexrelid::bigint, xmin FROM pg_index WHERE indrelid >= {_FIRST}
      UNION ALL SELECT indrelid, c.tableoid::bigint, c.oid::bigint, c.xmin
        FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid >= {_FIRST}
      UNION ALL SELECT tgrelid, tableoid::bigint, oid::bigint, xmin FROM pg_trigger WHERE tgrelid >= {_FIRST}
      UNION ALL SELECT polrelid, tableoid::bigint, oid::bigint, xmin FROM pg_policy WHERE polrelid >= {_FIRST}
      UNION ALL SELECT ev_class, tableoid::bigint, oid::bigint, xmin FROM pg_rewrite WHERE ev_class >= {_FIRST}
      UNION ALL SELECT seqrelid, tableoid::bigint, 0, xmin FROM pg_sequence WHERE seqrelid >= {_FIRST}
      UNION ALL SELECT stxrelid, tableoid::bigint, oid::bigint, xmin FROM pg_statistic_ext WHERE stxrelid >= {_FIRST}
      UNION ALL SELECT objoid, tableoid::bigint, objsubid, xmin FROM pg_description
        WHERE classoid = 'pg_class'::regclass AND objoid >= {_FIRST}
    ), part_of_type (whole, class, number, xmin) AS (
      SELECT oid, class, oid::bigint, xmin FROM type
      UNION ALL SELECT enumtypid, tableoid::bigint, oid::bigint, xmin FROM pg_enum
    ), common (class, number, xmin) AS (
      SELECT tableoid::bigint, oid::bigint, xmin FROM pg_namespace
      UNION ALL SELECT tableoid::bigint, oid::bigint, xmin FROM pg_extension
      UNION ALL SELECT tableoid::bigint, oid::bigint, xmin FROM pg_opclass WHERE oid >= {_FIRST}
      UNION ALL SELECT tableoid::bigint, oid::bigint, xmin FROM pg_operator WHERE oid >= {_FIRST}
      UNION ALL SELECT tableoid::bigint, oid::bigint, xmin FROM pg_collation WHERE oid >= {_FIRST}
    )
    SELECT relation.class, oid::bigint, bit_xor(hashtextextended(part.xmin::text, part.class << 32 | number))
    FROM relation JOIN part ON whole = oid GROUP BY 1, 2
    UNION ALL
    SELECT type.class, oid::bigint, bit_xor(hashtextextended(part.xmin::text, part.class << 32 | number))
    FROM type JOIN part_of_type part ON whole = oid GROUP BY 1, 2
    UNION ALL
    SELECT class, oid::bigint, xmin::text::bigint FROM function
    UNION ALL
    SELECT 0, 0, bit_xor(hashtextextended(xmin::text, class << 32 | number)) FROM common
    """
)
_FACTS = f"""
    SELECT class, oid::bigint, CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' WHEN 'c' THEN 'type' ELSE 'table' END, schema, '', name, oid::bigint,
      json_build_object('definition', CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) ELSE
          (SELECT concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
           FROM pg_sequence WHERE seqrelid = oid) END,
        'row security', CASE WHEN relforcerowsecurity THEN 'forced' WHEN relrowsecurity THEN 'yes' END,
        'partition', pg_get_expr(relpartbound, oid))::text FROM relation
    UNION ALL
    SELECT r.class, r.oid::bigint, 'comment', r.schema, r.name, coalesce(a.attname::text, ''), 0,
      json_build_object('text', d.description)::text
    FROM relation r JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = r.oid
    LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid > 0
    UNION ALL
    SELECT r.class, r.oid::bigint, 'grant', r.schema, r.name, CASE g.grantee WHEN 0 THEN 'public'
        ELSE pg_get_userbyid(g.grantee)::text END, 0, json_build_object('privileges',
        string_agg(concat(g.privilege_type, CASE WHEN g.is_grantable THEN '*' END), ', ' ORDER BY 1))::text
    FROM relation r, aclexplode(r.relacl) g WHERE g.grantee <> r.relowner
    GROUP BY r.class, r.oid, r.schema, r.name, g.grantee
    UNION ALL
    SELECT r.class, r.oid::bigint, 'rule', r.schema, r.name, w.rulename::text, 0, json_build_object(
        'definition', pg_get_ruledef(w.oid), 'enabled', w.ev_enabled)::text
    FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
    UNION ALL
    SELECT r.class, r.oid::bigint, 'statistics', r.schema, r.name, s.stxname::text, 0, json_build_object(
        'definition', pg_get_statisticsobjdef(s.oid))::text
    FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
    UNION ALL
    SELECT r.class, r.oid::bigint, 'column', r.schema, r.name, a.attname::text, a.attnum, json_build_object(
        'type', format_type(a.atttypid, a.atttypmod), 'identity', nullif(a.attidentity, ''),
        'generated', nullif(a.attgenerated, ''), 'default', pg_get_expr(d.adbin, d.adrelid),
        'not null', CASE WHEN n.oid IS NOT NULL THEN 'not valid' WHEN a.attnotnull THEN 'yes' END)::text
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    LEFT JOIN pg_constraint n ON n.conrelid = r.oid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum]
      AND NOT n.convalidated
    WHERE r.relkind <> 'S'
    UNION ALL
    SELECT r.class, r.oid::bigint, 'constraint', r.schema, r.name, k.conname::text, 0, json_build_object(
        'definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), 'validated', k.convalidated)::text
    FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
      AND {WRITTEN.format(constraint="k")}
    UNION ALL
    SELECT r.class, r.oid::bigint, 'index', r.schema, r.name, x.relname::text, 0, json_build_object(
        'definition', pg_get_indexdef(x.oid), 'valid', i.indisvalid)::text
    FROM relation r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT r.class, r.oid::bigint, 'trigger', r.schema, r.name, t.tgname::text, 0, json_build_object(
        'definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled)::text
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT r.class, r.oid::bigint, 'policy', r.schema, r.name, p.polname::text, 0, json_build_object(
        'command', p.polcmd, 'using', pg_get_expr(p.polqual, r.oid), 'check', pg_get_expr(p.polwithcheck, r.oid))::text
    FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
    UNION ALL
    SELECT class, oid::bigint, 'type', schema, '', name, 0, json_build_object('kind', typtype,
        'of', CASE WHEN typbasetype <> 0 THEN format_type(typbasetype, typtypmod) END,
        'labels', (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum
                   WHERE enumtypid = type.oid))::text
    FROM type
    UNION ALL
    SELECT class, oid::bigint, 'function', schema, '', name || '(' || pg_get_function_identity_arguments(oid) || ')', 0,
      json_build_object('source', coalesce(pg_get_function_sqlbody(oid), prosrc),
        'returns', pg_get_function_result(oid))::text
    FROM function"""
ALL = text(
    f"""{_objects()} {_FACTS}
    UNION ALL
    SELECT 0, 0, 'schema', '', '', schema, 0, '{{}}' FROM namespace
    UNION ALL
    SELECT 0, 0, 'extension', '', '', extname::text, 0, '{{}}' FROM pg_extension
    """
)
SOME = text(_objects("AND {}.oid = ANY (CAST(string_to_array(:oids, ',') AS oid[]))") + _FACTS)
# A relation is also named by its row type, a type by that of its arrays.
NAMED_WITH = text(
    """
    WITH RECURSIVE renamed (class, object) AS (
      SELECT tableoid, oid FROM pg_class WHERE oid = ANY (CAST(string_to_array(:oids, ',') AS oid[]))
      UNION SELECT tableoid, oid FROM pg_proc WHERE oid = ANY (CAST(string_to_array(:oids, ',') AS oid[]))
      UNION SELECT tableoid, oid FROM pg_type WHERE oid = ANY (CAST(string_to_array(:oids, ',') AS oid[]))
        OR typrelid = ANY (CAST(string_to_array(:oids, ',') AS oid[]))
      UNION SELECT a.tableoid, a.oid FROM renamed JOIN pg_type a
        ON a.typelem = object AND class = 'pg_type'::regclass AND a.typlen = -1
    ), dependent (class, object) AS (
      SELECT classid, objid FROM renamed JOIN pg_depend ON refclassid = class AND refobjid = object
    )
    SELECT object::bigint FROM dependent
    UNION SELECT indrelid::bigint FROM dependent JOIN pg_index ON indexrelid = object
    UNION SELECT conrelid::bigint FROM dependent JOIN pg_constraint ON oid = object
    UNION SELECT adrelid::bigint FROM dependent JOIN pg_attrdef ON oid = object
    UNION SELECT tgrelid::bigint FROM dependent JOIN pg_trigger ON oid = object
    UNION SELECT polrelid::bigint FROM dependent JOIN pg_policy ON oid = object
    UNION SELECT ev_class::bigint FROM dependent JOIN pg_rewrite ON oid = object
    """
)
