"""A fingerprint of the schema, computed by the server: a number for each kind of object.

Two databases of one major version with the same schema have the same one, however they came by it: object ids, the
search_path, the gaps that dropped columns leave, statistics and owners are not in it. Its one query takes a fifth of
the time in which `read_catalogue` reads the same (benchmarks/fingerprint.py).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import translate
from functools import cache
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, TextClause, text

from alembic_online.postgres.catalogue import namespaces
from alembic_online.postgres.catalogue.constraints import WRITTEN
from alembic_online.postgres.catalogue.families import RARE, WHICH
from alembic_online.postgres.catalogue.model import NOT_COMPARED
from alembic_online.postgres.catalogue.scope import RELATION_KINDS, SCOPE, WHOLE_DATABASE, column_options
from alembic_online.postgres.catalogue.session import neutral_session

Fingerprint = Mapping[str, str]
"""By kind, as `Kind` names them; beside these there are `comment` and `privileges`."""


@dataclass(frozen=True)
class Scope:
    """What a fingerprint is of. Partitions and members of extensions are never in it."""

    schemas: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    """Tables, by name or as `schema.name`."""
    left_alone: tuple[str, ...] = ()
    """Patterns as `LeaveAlone` has them, of objects that are not in it."""
    extensions: tuple[str, ...] = ()
    """Those that are to be there."""

    def as_data(self) -> dict[str, list[str]]:
        """For JSON."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def of_data(cls, data: Mapping[str, list[str]]) -> "Scope":
        """The way back."""
        return cls(**{name: tuple(values) for name, values in data.items()})


# Types, collations and languages of initdb have the same numbers everywhere; to print those took half of all the time.
_TYPE = (
    "CASE WHEN a.atttypid < 16384 THEN a.atttypid END, CASE WHEN a.atttypid >= 16384 THEN a.atttypid::regtype::text END"
)
_COLLATION = """CASE WHEN a.attcollation < 16384 THEN a.attcollation END,
    CASE WHEN a.attcollation >= 16384 THEN a.attcollation::regcollation::text END"""


def _hash(*values: str) -> str:
    return f"hash_record_extended(ROW({', '.join(values)}), 0)"


# What PostgreSQL prints in two ways (see `normal`), as one text.
_PRINTED = r"""CASE WHEN printed LIKE '%(ARRAY[%'
    THEN regexp_replace(printed, '\:\:[a-z ]+(\(\d+\))?(\[\])?|[()]', '', 'g') ELSE printed END"""


def _printed(kind: str, *values: str, printed: str, source: str) -> str:
    """The rows of `source`, hashed, with a definition that the server prints once for each."""
    names = [f"v{place}" for place in range(len(values))]
    given = ", ".join(f"{value} AS {name}" for name, value in zip(names, values, strict=True))
    return (
        f"SELECT kind, {_hash(*names, _PRINTED)}"
        f" FROM (SELECT {kind} AS kind, {given}, {printed} AS printed FROM {source} OFFSET 0) AS said"
    )


def _grants(acl: str, kind: str, owner: str, *names: str) -> str:
    granted = f"""(SELECT sum(hash_record_extended(ROW(g.privilege_type, g.is_grantable,
        CASE g.grantee WHEN 0 THEN 'PUBLIC' WHEN {owner} THEN '' ELSE pg_get_userbyid(g.grantee)::text END), 0))
        FROM aclexplode({acl}) AS g)"""
    # A REVOKE of what was granted leaves the default written out.
    default = f"{acl} @> acldefault('{kind}', {owner}) AND {acl} <@ acldefault('{kind}', {owner})"
    return f"CASE WHEN {default} THEN 0 ELSE {_hash(*names, granted)} END"


_RELATIONS = _printed(
    "r.kind",
    *("r.schema", "r.relname", "r.relkind", "r.relpersistence", "r.reloptions", "r.relrowsecurity"),
    *("r.relforcerowsecurity", "r.relreplident", "r.relispopulated"),
    "CASE WHEN r.reloftype <> 0 THEN r.reloftype::regtype::text END",
    "CASE WHEN r.reltablespace <> 0 THEN (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = r.reltablespace) END",
    "CASE WHEN r.relam > 2 THEN (SELECT m.amname FROM pg_am m WHERE m.oid = r.relam) END",  # 2 is heap
    "CASE WHEN r.reltoastrelid <> 0 THEN (SELECT t.reloptions FROM pg_class t WHERE t.oid = r.reltoastrelid) END",
    printed="""CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid)
        WHEN r.relkind = 'p' THEN pg_get_partkeydef(r.oid) END""",
    source="relation r WHERE r.relkind NOT IN ('c', 'S')",
)
_PARENTS = f"""
SELECT 'table', {_hash("r.schema", "r.relname", "i.inhseqno", "i.inhparent::regclass::text")}
FROM relation r JOIN pg_inherits i ON i.inhrelid = r.oid
UNION ALL
SELECT 'foreign table', {_hash("r.schema", "r.relname", "s.srvname", "f.ftoptions")}
FROM relation r JOIN pg_foreign_table f ON f.ftrelid = r.oid JOIN pg_foreign_server s ON s.oid = f.ftserver
"""
_COLUMNS = f"""
SELECT 'column', {
    _hash(
        *("r.schema", "r.relname", "a.attname", _TYPE, "a.atttypmod", "a.attnotnull", "a.attgenerated"),
        *("a.attidentity", "a.attislocal", "a.attstorage", "a.attcompression", "a.attstattarget"),
        *(column_options("a.attoptions"), "a.attfdwoptions", _COLLATION),
    )
}
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE r.relkind NOT IN ('v', 'm', 'S')
UNION ALL
SELECT 'column', {_hash("r.schema", "r.relname", "a.attname", "k.convalidated", "k.connoinherit")}
FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'n'
    AND (NOT k.convalidated OR k.connoinherit)
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.conkey[1]
"""
_EXPRESSIONS = _printed(
    *("'column'", "r.schema", "r.relname", "a.attname"),
    printed="pg_get_expr(d.adbin, d.adrelid)",
    source="""relation r JOIN pg_attrdef d ON d.adrelid = r.oid
        JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum""",
)
_CONSTRAINTS = _printed(
    *("'constraint'", "r.schema", "r.relname", "k.conname", "k.conislocal"),
    printed="pg_get_constraintdef(k.oid)",
    source=f"""relation r JOIN pg_constraint k ON k.conrelid = r.oid
        WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND (k.conparentid = 0 OR {WRITTEN.format(constraint="k")})""",
)
_DOMAIN_CHECKS = _printed(
    *("'constraint'", "n.schema", "t.typname", "k.conname"),
    printed="pg_get_constraintdef(k.oid)",
    source="""pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN namespace n ON n.oid = t.typnamespace
        WHERE k.contypid <> 0 AND k.contype = 'c'
          AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_type'::regclass AND objid = t.oid)""",
)
# What a constraint says, its index need not say again.
_INDEXES = _printed(
    *("'index'", "r.schema", "r.relname", "x.relname", "i.indisvalid", "i.indisready", "i.indisclustered"),
    *("i.indisreplident", "i.indisunique", "x.reloptions"),
    "CASE WHEN x.reltablespace <> 0 THEN (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = x.reltablespace) END",
    printed="CASE WHEN k.conindid IS NULL THEN pg_get_indexdef(i.indexrelid) END",
    source="""relation r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
        LEFT JOIN (SELECT conindid FROM pg_constraint WHERE contype IN ('p', 'u', 'x')) AS k
            ON k.conindid = i.indexrelid""",
)
# The sequence of an identity has a name that PostgreSQL made up.
_SEQUENCES = f"""
SELECT CASE d.deptype WHEN 'i' THEN 'column' ELSE 'sequence' END, {
    _hash(
        "CASE d.deptype WHEN 'i' THEN '' ELSE r.schema || '.' || r.relname END",
        *("t.schema", "t.relname", "a.attname", "s.seqtypid", "s.seqstart", "s.seqincrement", "s.seqmax"),
        *("s.seqmin", "s.seqcache", "s.seqcycle", "r.relpersistence"),
    )
}
FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refobjsubid > 0
    AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
LEFT JOIN relation t ON t.oid = d.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.objid IS NULL OR t.oid IS NOT NULL
"""
_COMMENTS = f"""
SELECT 'comment', {_hash("r.schema", "r.relname", "a.attname", "p.description")}
FROM pg_description p JOIN relation r ON r.oid = p.objoid
LEFT JOIN pg_attribute a ON a.attrelid = p.objoid AND a.attnum = p.objsubid AND p.objsubid > 0
WHERE p.objoid >= 16384 AND p.classoid = 'pg_class'::regclass
UNION ALL
SELECT 'comment', {_hash("r.schema", "r.relname", "x.relname", "p.description")}
FROM pg_description p JOIN pg_index i ON i.indexrelid = p.objoid JOIN relation r ON r.oid = i.indrelid
JOIN pg_class x ON x.oid = i.indexrelid
WHERE p.objoid >= 16384 AND p.classoid = 'pg_class'::regclass
UNION ALL
SELECT 'comment', {_hash("r.schema", "r.relname", "k.conname", "p.description")}
FROM pg_description p JOIN pg_constraint k ON k.oid = p.objoid JOIN relation r ON r.oid = k.conrelid
WHERE p.objoid >= 16384 AND p.classoid = 'pg_constraint'::regclass
"""
_PRIVILEGES = f"""
SELECT 'privileges', CASE r.relkind WHEN 'S' THEN {_grants("r.relacl", "s", "r.relowner", "r.schema", "r.relname")}
    ELSE {_grants("r.relacl", "r", "r.relowner", "r.schema", "r.relname")} END
FROM relation r WHERE r.relacl IS NOT NULL
UNION ALL
SELECT 'privileges', {_grants("a.attacl", "c", "r.relowner", "r.schema", "r.relname", "a.attname")}
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
"""


def _rare(family: ModuleType) -> str:
    """The objects of a family of which no schema has thousands, as `read_catalogue` reads them."""
    objects = family.SQL.removeprefix(SCOPE).replace(WHOLE_DATABASE, "true")
    outside = ", ".join(f"'{name}'" for name in sorted({*NOT_COMPARED, "privileges"}))
    stated = f"""CASE f.kind WHEN 'extension' THEN NULL WHEN 'default privileges' THEN f.attributes
        ELSE (f.attributes::jsonb - ARRAY[{outside}])::text END"""
    return f"""
SELECT said.kind, said.hash
FROM ({objects} OFFSET 0) AS f (kind, schema, owning_table, name, parent, attributes)
CROSS JOIN LATERAL (
    SELECT f.kind, {_hash("f.schema", "f.owning_table", "f.name", stated)} AS hash
    UNION ALL
    SELECT 'privileges', {_hash("f.kind", "f.schema", "f.name", "f.attributes::jsonb ->> 'privileges'")}
    WHERE f.kind <> 'default privileges' AND f.attributes::jsonb ->> 'privileges' IS NOT NULL
) AS said
WHERE (f.kind <> 'extension' OR f.name = ANY (CAST(:extensions AS text[])))
  AND NOT (f.name ~ ANY (CAST(:left_alone AS text[])) OR f.schema || '.' || f.name ~ ANY (CAST(:left_alone AS text[])))
"""


_OFTEN = (
    *(_RELATIONS, _PARENTS, _COLUMNS, _EXPRESSIONS, _CONSTRAINTS, _DOMAIN_CHECKS),
    *(_INDEXES, _SEQUENCES, _COMMENTS, _PRIVILEGES),
)
_WHICH = text(WHICH)


@cache
def _fingerprint(there: frozenset[str]) -> TextClause:
    """The query for a database that has something of these families."""
    families = [_rare(namespaces), *(_rare(family) for family in RARE if family.__name__ in there)]
    return text(_BEGIN + " UNION ALL ".join([*_OFTEN, *families]) + _END)


_BEGIN = f"""
WITH member AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
), namespace AS MATERIALIZED (
    SELECT oid, nspname::text AS schema FROM pg_namespace WHERE nspname = ANY (CAST(:schemas AS text[]))
), relation AS MATERIALIZED (
    SELECT c.*, n.schema, c.relname::text AS name, {RELATION_KINDS} AS kind
    FROM pg_class c JOIN namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c', 'S') AND NOT c.relispartition
      AND c.relname::text <> ALL (CAST(:ignored AS text[]))
      AND n.schema || '.' || c.relname <> ALL (CAST(:ignored AS text[]))
      AND NOT (c.relname ~ ANY (CAST(:left_alone AS text[]))
          OR n.schema || '.' || c.relname ~ ANY (CAST(:left_alone AS text[])))
      AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
)
SELECT kind, to_hex((sum(hash) % 9223372036854775807)::bigint) FROM (
"""
_END = ") AS hashed (kind, hash) GROUP BY kind HAVING sum(hash) <> 0"

# A view whose table somebody holds alone cannot be printed meanwhile.
_BOUNDED = text("SELECT set_config('lock_timeout', '1s', true)")


def read_fingerprint(connection: Connection, scope: Scope) -> Fingerprint:
    """Of what is in `scope`. Works where `read_catalogue` does, and waits for no lock longer than a second.

    Raises `sqlalchemy.exc.DBAPIError` then.
    """
    given: dict[str, Any] = {**scope.as_data(), "left_alone": [_regular(each) for each in scope.left_alone]}
    with neutral_session(connection):
        connection.execute(_BOUNDED)
        there = frozenset(connection.scalars(_WHICH))
        rows = connection.execute(_fingerprint(there), given).all()
    return {str(kind): str(value) for kind, value in rows}


def _regular(pattern: str) -> str:
    """A pattern of a shell as a regular expression of PostgreSQL's."""
    return "^" + translate(pattern).removeprefix("(?s:").removesuffix(r")\Z").removesuffix(r")\z") + "$"
