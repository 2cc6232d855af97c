"""A new table like the old one, without rows: columns, defaults, identities, checks, settings, comments, grants."""

from collections.abc import Iterator, Sequence

from alembic_online.postgres.catalogue.scope import column_options
from alembic_online.postgres.sql.identifiers import object_name
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain, quoted
from alembic_online.recipes.object_effects import GivenUp
from alembic_online.recipes.shadow_table.source_table import OldTable

# A partition has its identity from the table above it (PostgreSQL 17), unless it has a sequence of its own.
_CREATE = """
    SELECT format('CREATE %sTABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS%s) USING %I%s',
                  CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, CAST(:new AS text),
                  CAST(:table AS text), CASE WHEN c.relispartition AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid > 0
                        AND d.classid = 'pg_class'::regclass AND d.deptype = 'i') THEN ' EXCLUDING IDENTITY' END,
                  m.amname, ' TABLESPACE ' || quote_ident(s.spcname))
    FROM pg_class c JOIN pg_am m ON m.oid = c.relam LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
    WHERE c.oid = to_regclass(:table)
"""
SETTINGS = f"""
    WITH old AS (SELECT * FROM pg_class WHERE oid = to_regclass(:table)),
    parts AS (SELECT a.* FROM pg_attribute a JOIN old ON old.oid = a.attrelid WHERE attnum > 0 AND NOT attisdropped)
    SELECT format('ALTER TABLE %s SET (%s)', CAST(:new AS text), option) FROM (
        SELECT unnest(reloptions) FROM old UNION ALL
        SELECT 'toast.' || unnest(t.reloptions) FROM old JOIN pg_class t ON t.oid = old.reltoastrelid
    ) AS options (option)
    UNION ALL SELECT format('COMMENT ON TABLE %s IS %L', CAST(:new AS text), obj_description(oid, 'pg_class'))
    FROM old WHERE obj_description(oid, 'pg_class') IS NOT NULL
    UNION ALL SELECT format('ALTER TABLE %s ALTER %I SET STATISTICS %s', CAST(:new AS text), attname, attstattarget)
    FROM parts WHERE coalesce(attstattarget, -1) <> -1
    UNION ALL SELECT format('ALTER TABLE %s ALTER %I SET (%s)', CAST(:new AS text), attname,
                            array_to_string(options, ', '))
    FROM parts, LATERAL (SELECT {column_options("attoptions")}) AS own (options) WHERE options IS NOT NULL
"""
# New tables may come with default privileges; what the old one grants is all that the new one is to grant.
GRANTS = """
    WITH old AS (SELECT * FROM pg_class WHERE oid = to_regclass(:table)), revoked (role) AS (
        SELECT a.grantee FROM pg_default_acl d, aclexplode(d.defaclacl) AS a
        WHERE d.defaclobjtype = 'r' AND d.defaclnamespace = 0 AND pg_get_userbyid(d.defaclrole) = current_user
        UNION SELECT relowner FROM old
    ), granted AS (
        SELECT g.*, '' AS part FROM old, aclexplode(coalesce(relacl, acldefault('r', relowner))) AS g
        UNION ALL SELECT g.*, format(' (%I)', a.attname) FROM old
        JOIN pg_attribute a ON a.attrelid = old.oid AND NOT a.attisdropped, aclexplode(a.attacl) AS g
    )
    SELECT 1 AS phase, format('REVOKE ALL ON %s FROM %s', CAST(:new AS text),
                              CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END) AS statement
    FROM revoked
    UNION ALL
    SELECT 2, format('GRANT %s%s ON %s TO %s%s', privilege_type, part, CAST(:new AS text),
                     CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                     CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) FROM granted
    ORDER BY 1, 2
"""
_GRANTS_ON_COLUMNS = """
    SELECT CASE g.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(g.grantee) END AS role,
           format('GRANT %s (%I) ON %s TO %s%s', privilege_type, a.attname, CAST(:new AS text),
                  CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
                  CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS statement
    FROM pg_attribute a, aclexplode(a.attacl) AS g
    WHERE attrelid = to_regclass(:table) AND NOT attisdropped AND attname = ANY (CAST(:columns AS text[])) ORDER BY 1, 2
"""
_IDENTITIES = """
    SELECT a.attname::text AS "column", c.relname::text AS sequence, s.seqtypid::regtype::text AS type
    FROM pg_attribute a
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
                    AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
    JOIN pg_class c ON c.oid = d.objid JOIN pg_sequence s ON s.seqrelid = c.oid
    WHERE a.attrelid = to_regclass(:table) AND a.attidentity <> ''
"""


def create_like(database: Database, old: OldTable) -> list[str]:
    """The statements that make it, in a schema of its own that belongs to the old one's owner."""
    given = {"table": old.sql, "new": old.new}
    (create,) = database.ask(_CREATE, **given)
    return [
        f"CREATE SCHEMA {old.shadow} AUTHORIZATION {old.owner}",
        str(create[0]),
        f"ALTER TABLE {old.new} OWNER TO {old.owner}",
        *(statement for (statement,) in database.ask(SETTINGS, **given)),
        *(row.statement for row in database.ask(GRANTS, **given)),
        *_numbered(database, old),
    ]


def granted_again(database: Database, old: OldTable, columns: Sequence[str]) -> list[str]:
    """The statements that grant roles on these columns, which are dropped and made again, what they had.

    Only where a line below grants it: clients would miss it until then.
    """
    found = database.ask(_GRANTS_ON_COLUMNS, table=old.sql, new=old.new, columns=list(columns))
    return [row.statement for row in found if database.comes_back(GivenUp("grant", plain(old.sql), plain(row.role)))]


def identities(database: Database, old: OldTable) -> list[str]:
    """The sequences of its identity columns, of which the new one has its own under the same names."""
    return [quoted(row.sequence) for row in database.ask(_IDENTITIES, table=old.sql)]


def _numbered(database: Database, old: OldTable) -> Iterator[str]:
    """LIKE makes sequences of type bigint with the names that PostgreSQL chooses (16 to 18)."""
    for row in database.ask(_IDENTITIES, table=old.sql):
        made = object_name(old.name, row.column, "seq")
        yield f"ALTER SEQUENCE {old.shadow}.{quoted(made)} AS {row.type}"
        if made != row.sequence:
            yield f"ALTER SEQUENCE {old.shadow}.{quoted(made)} RENAME TO {quoted(row.sequence)}"
