"""The SQL that every query of this package shares: which objects count, and how comments and privileges are read.

Every query yields rows of one shape: kind, schema, table, name, parent as ARRAY[kind, table, name] or NULL, and the
attributes as a JSON object in text. Names are cast to text: asyncpg knows no `name` arrays and no "char".
Columns that only newer servers have are read as `to_jsonb(row)`, so that one text serves PostgreSQL 16 to 18.
"""

RELATION_KINDS = """CASE c.relkind
        WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'c' THEN 'composite type' ELSE 'table' END"""

SCOPE = f"""
WITH member AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
), namespace AS (
    SELECT n.oid, n.nspname::text AS schema FROM pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND (CAST(:schemas AS text[]) IS NULL OR n.nspname = ANY (CAST(:schemas AS text[])))
), relation AS (
    SELECT c.*, n.schema, c.relname::text AS name, {RELATION_KINDS} AS kind
    FROM pg_class c JOIN namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
      AND c.relname::text <> ALL (CAST(:ignored AS text[]))
      AND n.schema || '.' || c.relname <> ALL (CAST(:ignored AS text[]))
      AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
)
"""

WHOLE_DATABASE = "CAST(:schemas AS text[]) IS NULL"
"""True when no schemas were asked for: only then what belongs to no schema counts."""


def users_own(catalog: str, oid: str) -> str:
    """The condition that an object does not belong to an extension."""
    return f"NOT EXISTS (SELECT FROM member WHERE classid = '{catalog}'::regclass AND objid = {oid})"


def not_part(catalog: str, oid: str) -> str:
    """The condition that an object was not made within another: a range type makes its functions and a cast."""
    return (
        f"NOT EXISTS (SELECT FROM pg_depend WHERE classid = '{catalog}'::regclass AND objid = {oid} AND deptype = 'i')"
    )


def comment(catalog: str, oid: str, column: str = "0") -> str:
    """The comment on an object; a plain subquery, for `obj_description` is ten times slower."""
    return (
        f"(SELECT description FROM pg_description"
        f" WHERE objoid = {oid} AND classoid = '{catalog}'::regclass AND objsubid = {column})"
    )


def sorted_list(array: str) -> str:
    """A text array as a JSON list in order, NULL for NULL."""
    return f'(SELECT json_agg(item ORDER BY item COLLATE "C") FROM unnest({array}) AS item)'


def column_options(column: str) -> str:
    """A column's own options as an array in order, NULL for none; `column` is its `attoptions`.

    PostgreSQL 15.20, 17.12 and the other releases of that day keep a number of their own there, `pg_attver`, which
    changes with the type; `pg_dump` leaves it out too (dumpTableSchema).
    """
    own = f"""(SELECT array_agg(option ORDER BY option COLLATE "C") FROM unnest({column}) AS option
        WHERE NOT starts_with(option, 'pg_attver='))"""
    return f"CASE WHEN {column} IS NOT NULL THEN {own} END"


def grants(acl: str, owner: str) -> str:
    """A query for the grants of an ACL, one readable `item` each."""
    return f"""SELECT g.privilege_type || ' to ' || CASE g.grantee WHEN 0 THEN 'PUBLIC'
            WHEN {owner} THEN 'the owner' ELSE quote_ident(pg_get_userbyid(g.grantee)) END
        || CASE WHEN g.is_grantable THEN ' with grant option' ELSE '' END
        || CASE g.grantor WHEN {owner} THEN '' ELSE ' by ' || quote_ident(pg_get_userbyid(g.grantor)) END AS item
        FROM aclexplode({acl}) AS g"""


def privileges(acl: str, kind: str, owner: str, *, default_acl: str = "") -> str:
    """How an ACL departs from the default of its kind (a code of `acldefault`), so that NULL equals the default.

    `default_acl` is another default.

    The owner is called "the owner": two databases made by different roles have equal privileges.
    """
    granted, default = grants(acl, owner), grants(default_acl or f"acldefault('{kind}', {owner})", owner)
    return f"""CASE WHEN {acl} IS NOT NULL THEN (SELECT json_agg(item ORDER BY item COLLATE "C") FROM (
        ({granted} EXCEPT {default})
        UNION ALL (SELECT 'no ' || item FROM (({default}) EXCEPT ({granted})) AS revoked)) AS departure) END"""
