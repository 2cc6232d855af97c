"""Which object needs which, from pg_depend: what must be there before, and what is in the way of a change.

A dependency is told of the object that a catalogue names: a view's rule is the view, a default is its column, an array
is its element type, what an extension made is the extension.
"""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.engine import Connection

from alembic_online.postgres.catalogue.constraints import WRITTEN
from alembic_online.postgres.catalogue.model import Identity, Kind
from alembic_online.postgres.catalogue.scope import RELATION_KINDS
from alembic_online.postgres.catalogue.session import neutral_session

Dependencies = Mapping[Identity, frozenset[Identity]]

_TYPE_KINDS = """CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type'
        ELSE 'base type' END"""
_ROUTINE_KINDS = "CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END"

# One row for each address of pg_depend: the object of the catalogue that it belongs to. Numbers below 16384 are those
# of initdb: its objects need none of ours, and most of them are pinned, so that pg_depend says nothing of them.
_NAMED = f"""
named (classid, objid, objsubid, kind, schema, owning_table, name) AS (
    SELECT 'pg_class'::regclass, c.oid, 0, {RELATION_KINDS}, n.nspname::text, '', c.relname::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, 0, 'sequence', n.nspname::text, '', c.relname::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384 AND c.relkind = 'S'
    UNION ALL
    SELECT 'pg_class'::regclass, x.oid, 0, 'index', n.nspname::text, r.relname::text, x.relname::text
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class r ON r.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = r.relnamespace WHERE x.oid >= 16384
    UNION ALL
    SELECT 'pg_class'::regclass, a.attrelid, a.attnum, 'column', n.nspname::text, c.relname::text, a.attname::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
      AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
    UNION ALL
    SELECT 'pg_attrdef'::regclass, d.oid, 0, 'column', n.nspname::text, c.relname::text, a.attname::text
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, {_TYPE_KINDS}, n.nspname::text, '', t.typname::text
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.oid >= 16384 AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'b' AND t.typcategory <> 'A')
    UNION ALL
    SELECT 'pg_type'::regclass, t.typarray, 0, {_TYPE_KINDS}, n.nspname::text, '', t.typname::text
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.oid >= 16384 AND t.typtype IN ('e', 'd', 'r', 'b') AND t.typarray <> 0
    UNION ALL
    SELECT 'pg_type'::regclass, g.rngmultitypid, 0, 'range type', n.nspname::text, '', t.typname::text
    FROM pg_range g JOIN pg_type t ON t.oid = g.rngtypid JOIN pg_namespace n ON n.oid = t.typnamespace
    UNION ALL
    SELECT 'pg_type'::regclass, u.oid, 0, {RELATION_KINDS}, n.nspname::text, '', c.relname::text
    FROM pg_class c JOIN pg_type t ON t.oid = c.reltype JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type u ON u.oid IN (t.oid, t.typarray) WHERE c.oid >= 16384
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, 'constraint', n.nspname::text, c.relname::text, k.conname::text
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND {WRITTEN.format(constraint="k")}
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, 'constraint', n.nspname::text, t.typname::text, k.conname::text
    FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, {_ROUTINE_KINDS}, n.nspname::text, '',
        format('%s(%s)', p.proname, oidvectortypes(p.proargtypes))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname <> 'pg_catalog'
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid, 0, 'trigger', n.nspname::text, c.relname::text, t.tgname::text
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid, 0, 'policy', n.nspname::text, c.relname::text, p.polname::text
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    UNION ALL
    SELECT 'pg_rewrite'::regclass, w.oid, 0, CASE w.rulename WHEN '_RETURN' THEN {RELATION_KINDS} ELSE 'rule' END,
        n.nspname::text, CASE w.rulename WHEN '_RETURN' THEN '' ELSE c.relname::text END,
        CASE w.rulename WHEN '_RETURN' THEN c.relname::text ELSE w.rulename::text END
    FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid, 0, 'statistics', n.nspname::text, c.relname::text,
        CASE WHEN s.stxnamespace = c.relnamespace THEN '' ELSE s.stxnamespace::regnamespace || '.' END || s.stxname
    FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    UNION ALL
    SELECT 'pg_namespace'::regclass, n.oid, 0, 'schema', '', '', n.nspname::text FROM pg_namespace n
    UNION ALL
    SELECT 'pg_collation'::regclass, l.oid, 0, 'collation', n.nspname::text, '', l.collname::text
    FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
    UNION ALL
    SELECT 'pg_opclass'::regclass, o.oid, 0, 'operator class', n.nspname::text, '', o.opcname || ' using ' || m.amname
    FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod JOIN pg_namespace n ON n.oid = o.opcnamespace
    WHERE o.oid >= 16384
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, 0, 'operator', n.nspname::text, '',
        format('%s(%s, %s)', o.oprname, coalesce(format_type(nullif(o.oprleft, 0), NULL), 'NONE'),
            format_type(o.oprright, NULL))
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE n.nspname <> 'pg_catalog'
    UNION ALL
    SELECT f.classid, f.objid, 0, 'operator family', n.nspname::text, '', p.opfname || ' using ' || m.amname
    FROM (SELECT 'pg_opfamily'::regclass AS classid, oid AS objid, oid AS family FROM pg_opfamily
        UNION ALL SELECT 'pg_amop'::regclass, oid, amopfamily FROM pg_amop
        UNION ALL SELECT 'pg_amproc'::regclass, oid, amprocfamily FROM pg_amproc) AS f
    JOIN pg_opfamily p ON p.oid = f.family JOIN pg_am m ON m.oid = p.opfmethod
    JOIN pg_namespace n ON n.oid = p.opfnamespace WHERE p.oid >= 16384
    UNION ALL
    SELECT 'pg_cast'::regclass, c.oid, 0, 'cast', '', '',
        format('%s as %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL))
    FROM pg_cast c WHERE c.oid >= 16384
    UNION ALL
    SELECT 'pg_ts_config'::regclass, f.oid, 0, 'text search configuration', n.nspname::text, '', f.cfgname::text
    FROM pg_ts_config f JOIN pg_namespace n ON n.oid = f.cfgnamespace
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, f.oid, 0, 'text search dictionary', n.nspname::text, '', f.dictname::text
    FROM pg_ts_dict f JOIN pg_namespace n ON n.oid = f.dictnamespace
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, v.oid, 0, 'server', '', '', v.srvname::text FROM pg_foreign_server v
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 0, 'foreign-data wrapper', '', '', w.fdwname::text
    FROM pg_foreign_data_wrapper w
    UNION ALL
    SELECT p.classid, p.objid, 0, 'publication', '', '', u.pubname::text
    FROM (SELECT 'pg_publication_rel'::regclass AS classid, oid AS objid, prpubid AS publication FROM pg_publication_rel
        UNION ALL SELECT 'pg_publication_namespace'::regclass, oid, pnpubid FROM pg_publication_namespace) AS p
    JOIN pg_publication u ON u.oid = p.publication
    UNION ALL
    SELECT 'pg_extension'::regclass, e.oid, 0, 'extension', '', '', e.extname::text FROM pg_extension e
)"""
_QUERY = text(
    f"""
WITH {_NAMED}, member AS (
    SELECT m.classid, m.objid, e.extname::text FROM pg_depend m JOIN pg_extension e ON e.oid = m.refobjid
    WHERE m.deptype = 'e' AND m.refclassid = 'pg_extension'::regclass
)
SELECT DISTINCT d.kind, d.schema, d.owning_table, d.name,
    CASE WHEN x.extname IS NULL THEN r.kind ELSE 'extension' END,
    CASE WHEN x.extname IS NULL THEN r.schema ELSE '' END,
    CASE WHEN x.extname IS NULL THEN r.owning_table ELSE '' END,
    coalesce(x.extname, r.name)
FROM pg_depend p
JOIN named d ON d.classid = p.classid AND d.objid = p.objid AND d.objsubid = p.objsubid
LEFT JOIN member x ON x.classid = p.refclassid AND x.objid = p.refobjid
LEFT JOIN named r ON r.classid = p.refclassid AND r.objid = p.refobjid AND r.objsubid = p.refobjsubid
WHERE p.objid >= 16384 AND p.deptype <> 'e' AND (d.kind <> 'operator family' OR p.refclassid <> 'pg_opclass'::regclass)
  AND (x.extname IS NOT NULL OR r.name IS NOT NULL) AND d.schema !~ '^pg_'
  AND d.schema <> 'information_schema'
"""
)


def read_dependencies(connection: Connection) -> Dependencies:
    """What each object needs, by identity; one query. An object without entry needs nothing."""
    needs: defaultdict[Identity, set[Identity]] = defaultdict(set)
    with neutral_session(connection):
        for row in connection.execute(_QUERY).fetchall():
            dependent, needed = (Identity(Kind(kind), *rest) for kind, *rest in (row[:4], row[4:]))
            if dependent != needed:
                needs[dependent].add(needed)
    return {identity: frozenset(needed) for identity, needed in needs.items()}
