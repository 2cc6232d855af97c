"""What the catalogue shows of a schema, as facts that are cheap to read: one query, and no lock but ACCESS SHARE.

`src.postgres.catalogue` reads everything that can be declared; this is what a statement of a revision leaves behind,
and by which it is told whether that is still there. PostgreSQL 16 to 18.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from src.postgres.catalogue.session import SETTINGS
from src.safety.history import BOOKKEEPING

_LONG = 80  # characters; of what is longer, the digest is kept
_SET = text("SELECT set_config(key, value, true) FROM json_each_text(CAST(:settings AS json))")
_SETTINGS = json.dumps({**SETTINGS, "lock_timeout": "1s"})  # somebody may hold a table whose view is to be printed
_FACTS = text(
    """
    WITH member AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
    namespace AS (
      SELECT oid, nspname::text AS schema FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    ), relation AS (
      SELECT c.oid, n.schema, c.relname::text AS name, c.relkind FROM pg_class c JOIN namespace n
        ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c', 'S') AND c.relname <> ALL (CAST(:bookkeeping AS text[]))
        AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
    )
    SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'c' THEN 'type' ELSE 'table' END, schema, '', name, oid::bigint,
      json_build_object('definition', CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)::text FROM relation
    UNION ALL
    SELECT 'column', r.schema, r.name, a.attname::text, a.attnum, json_build_object(
        'type', format_type(a.atttypid, a.atttypmod), 'identity', nullif(a.attidentity, ''),
        'generated', nullif(a.attgenerated, ''), 'default', pg_get_expr(d.adbin, d.adrelid),
        'not null', CASE WHEN n.oid IS NOT NULL THEN 'not valid' WHEN a.attnotnull THEN 'yes' END)::text
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    LEFT JOIN pg_constraint n ON n.conrelid = r.oid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum]
      AND NOT n.convalidated
    WHERE r.relkind <> 'S'
    UNION ALL
    SELECT 'constraint', r.schema, r.name, k.conname::text, 0, json_build_object(
        'definition', pg_get_constraintdef(k.oid), 'validated', k.convalidated)::text
    FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
    UNION ALL
    SELECT 'index', r.schema, r.name, x.relname::text, 0, json_build_object(
        'definition', pg_get_indexdef(x.oid), 'valid', i.indisvalid)::text
    FROM relation r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT 'trigger', r.schema, r.name, t.tgname::text, 0, json_build_object(
        'definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled)::text
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT 'policy', r.schema, r.name, p.polname::text, 0, json_build_object('command', p.polcmd,
        'using', pg_get_expr(p.polqual, r.oid), 'check', pg_get_expr(p.polwithcheck, r.oid))::text
    FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
    UNION ALL
    SELECT 'type', n.schema, '', t.typname::text, 0, json_build_object('kind', t.typtype,
        'of', CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END,
        'labels', (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum
                   WHERE enumtypid = t.oid))::text
    FROM pg_type t JOIN namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r') AND NOT EXISTS
      (SELECT FROM member WHERE classid = 'pg_type'::regclass AND objid = t.oid)
    UNION ALL
    SELECT 'function', n.schema, '', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', 0,
      json_build_object('source', p.prosrc, 'returns', pg_get_function_result(p.oid))::text
    FROM pg_proc p JOIN namespace n ON n.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
    UNION ALL
    SELECT 'schema', '', '', schema, 0, '{}' FROM namespace
    UNION ALL
    SELECT 'extension', '', '', extname::text, 0, '{}' FROM pg_extension
    """
)


class Identity(NamedTuple):
    """One object; `table` is what it is a part of, "" where it stands by itself."""

    kind: str
    schema: str
    table: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}{f' of {self.table}' if self.table else ''}"


Attributes = dict[str, str]


@dataclass(frozen=True)
class Facts:
    """All objects, each with what PostgreSQL says of it; and by which number each is known."""

    objects: Mapping[Identity, Attributes]
    numbers: Mapping[Identity, int] = field(default_factory=dict)
    """Of a table the OID, of a column its place: another one of the same name has another."""
    history: int = 0
    """The OID of the history's own table: another one in a database that was restored from a dump."""


async def read_facts(connection: AsyncConnection, history: str) -> Facts | None:
    """Read them on a connection in autocommit; None where somebody holds what cannot be read without.

    `history` is the name of the history's table as SQL writes it.
    """
    for _ in range(2):
        try:
            return await _read(connection, history)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise  # otherwise somebody has dropped what was just being read, or does not let go of it
    return None


async def _read(connection: AsyncConnection, history: str) -> Facts:
    objects: dict[Identity, Attributes] = {}
    numbers: dict[Identity, int] = {}
    await connection.exec_driver_sql("BEGIN READ ONLY")
    try:
        oid = int(await connection.scalar(text("SELECT to_regclass(:name)::bigint"), {"name": history}) or 0)
        await connection.execute(_SET, {"settings": _SETTINGS})
        rows = await connection.execute(_FACTS, {"bookkeeping": list(BOOKKEEPING)})
        for kind, schema, table, name, number, facts in rows:
            identity = Identity(kind, schema, table, name)
            objects[identity] = {key: _short(value) for key, value in json.loads(facts).items() if value is not None}
            numbers[identity] = number
    finally:
        await connection.exec_driver_sql("ROLLBACK")
    return Facts(objects, numbers, oid)


def _short(value: object) -> str:
    words = str(value)
    return words if len(words) <= _LONG else f"#{hashlib.sha256(words.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Change:
    """What became of one object: what was said of it before and after, None where it was not there.

    Of one that was there before and after, what has changed.
    """

    identity: Identity
    before: Attributes | None
    after: Attributes | None


def changes(before: Facts, after: Facts) -> list[Change]:
    """All that differs."""
    found = []
    for identity in sorted({*before.objects, *after.objects}):
        old, new = before.objects.get(identity), after.objects.get(identity)
        if old is None or new is None:
            if old is not new:
                found.append(Change(identity, old, new))
        elif old != new:
            names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
            found.append(Change(identity, {n: old.get(n, "") for n in names}, {n: new.get(n, "") for n in names}))
    return found


def moved(before: Facts, after: Facts) -> list[Identity]:
    """The tables and columns of which another one has the name now."""
    both = before.numbers.keys() & after.numbers.keys()
    return sorted(identity for identity in both if before.numbers[identity] != after.numbers[identity])
