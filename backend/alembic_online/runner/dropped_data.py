"""What goes with a statement: tables with their rows, columns with their values, sequences with their position.

The statement says what it drops, the catalogue what goes with that: partitions, columns of a type that is dropped,
tables of a schema. A generated column is not among it, for its values are computed again, nor is a view, an index or a
temporary table.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, text

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.sql.tokens import text_of

_KINDS = (
    "DROP TABLE",
    "DROP SCHEMA",
    "DROP TYPE",
    "DROP DOMAIN",
    "DROP EXTENSION",
    "DROP COLLATION",
    "DROP SEQUENCE",
    "DROP OWNED",
)
_TAKES_AWAY = re.compile(r"\b(DROP|TRUNCATE|ALTER|DELETE)\b[^;'$]*", re.IGNORECASE)
_ROOTS = {
    "DROP TABLE": "SELECT 'pg_class'::regclass::oid, to_regclass(name)::oid, 0 FROM named",
    "DROP SEQUENCE": "SELECT 'pg_class'::regclass::oid, to_regclass(name)::oid, 0 FROM named",
    "DROP SCHEMA": "SELECT 'pg_namespace'::regclass::oid, to_regnamespace(name)::oid, 0 FROM named",
    "DROP TYPE": "SELECT 'pg_type'::regclass::oid, to_regtype(name)::oid, 0 FROM named",
    "DROP DOMAIN": "SELECT 'pg_type'::regclass::oid, to_regtype(name)::oid, 0 FROM named",
    "DROP COLLATION": "SELECT 'pg_collation'::regclass::oid, to_regcollation(name)::oid, 0 FROM named",
    "DROP EXTENSION": """
        SELECT 'pg_extension'::regclass::oid, e.oid, 0 FROM pg_extension e JOIN named ON name = quote_ident(extname)
    """,
    "DROP OWNED": """
        SELECT d.classid, d.objid, d.objsubid FROM pg_shdepend d
        JOIN pg_database b ON b.oid = d.dbid AND b.datname = current_database()
        JOIN pg_roles r ON r.oid = d.refobjid AND d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o'
        JOIN named ON CASE upper(name) WHEN 'CURRENT_USER' THEN r.rolname = current_user
          WHEN 'CURRENT_ROLE' THEN r.rolname = current_user WHEN 'SESSION_USER' THEN r.rolname = session_user
          ELSE quote_ident(r.rolname) = name END
    """,
    "column": """
        SELECT 'pg_class'::regclass::oid, a.attrelid, a.attnum::int FROM named JOIN pg_attribute a
        ON a.attrelid = to_regclass(:of) AND NOT a.attisdropped AND a.attname = name
    """,
}
_GONE = """
    WITH RECURSIVE named AS (SELECT name FROM unnest(CAST(:names AS text[])) name), gone(classid, objid, part) AS (
      {roots}
      UNION SELECT d.classid, d.objid, d.objsubid FROM gone g JOIN pg_depend d
        ON d.refclassid = g.classid AND d.refobjid = g.objid AND (g.part = 0 OR d.refobjsubid = g.part)
      WHERE CAST(:cascade AS bool) OR d.deptype <> 'n'
    ), parts AS (
      SELECT g.objid, g.part, c.relkind, c.reltype FROM gone g JOIN pg_class c ON c.oid = g.objid
      WHERE g.classid = 'pg_class'::regclass
    ), attributes AS (
      SELECT p.reltype, a.attname FROM parts p JOIN pg_attribute a ON a.attrelid = p.objid AND a.attnum = p.part
      WHERE p.relkind IN ('c', 'r', 'p')
    ), held AS (
      SELECT objid, ''::text AS part, '' AS field, relkind FROM parts
      WHERE part = 0 AND (relkind IN ('r', 'p') OR relkind = 'S' AND pg_sequence_last_value(objid) IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = parts.objid
                        AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0))
      UNION SELECT a.attrelid, quote_ident(a.attname), '', p.relkind FROM parts p
      JOIN pg_attribute a ON a.attrelid = p.objid AND a.attnum = p.part
      WHERE p.part > 0 AND p.relkind IN ('r', 'p') AND NOT a.attisdropped AND a.attgenerated = ''
      UNION SELECT a.attrelid, quote_ident(a.attname), quote_ident(f.attname), c.relkind FROM attributes f
      JOIN pg_attribute a ON a.atttypid = f.reltype AND NOT a.attisdropped
      JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
      UNION SELECT c.oid, quote_ident(f.attname), '', c.relkind FROM attributes f JOIN pg_class c
        ON c.reloftype = f.reltype
    )
    SELECT objid::regclass::text AS relation, part, field, relkind = 'S' AS is_sequence FROM held h
    WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = h.objid AND c.relpersistence = 't')
      AND NOT EXISTS (SELECT FROM pg_inherits i JOIN held above ON above.objid = i.inhparent
                      WHERE i.inhrelid = h.objid AND above.part IN ('', h.part))
      AND (part = '' OR NOT EXISTS (SELECT FROM held whole WHERE whole.objid = h.objid AND whole.part = ''))
    ORDER BY 1, 2, 3
"""
_EMPTIED = text(
    """
    WITH RECURSIVE emptied AS (
      SELECT to_regclass(name)::oid AS oid FROM unnest(CAST(:names AS text[])) name
      UNION SELECT k.conrelid FROM pg_constraint k JOIN emptied ON k.confrelid = emptied.oid
      WHERE k.contype = 'f' AND CAST(:cascade AS bool)
    )
    SELECT oid::regclass::text AS relation, '' AS part, '' AS field, false AS is_sequence FROM emptied
    WHERE oid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = emptied.oid AND c.relpersistence = 't')
    ORDER BY 1
    """
)


class Gone(NamedTuple):
    """A table; or a column of it, or a field of a column; or a sequence. Names are as SQL writes them."""

    relation: str
    part: str = ""
    field: str = ""
    is_sequence: bool = False
    only: bool = False
    """Its children keep theirs."""

    def __str__(self) -> str:
        return ".".join(filter(None, self[:3]))


def gone(connection: Connection, statement: str) -> Iterator[Gone]:
    """All that holds something and goes with `statement`, whether there are rows or not."""
    for reader in statements(statement):
        match reader.accept_any("TRUNCATE TABLE", "TRUNCATE", "ALTER TABLE", "ALTER TYPE", *_KINDS):
            case None:
                continue
            case "TRUNCATE TABLE" | "TRUNCATE":
                only, names = _starts_with_only(reader), reader.names()
                given = {"names": names, "cascade": reader.has("CASCADE")}
                yield from (Gone(*row)._replace(only=only) for row in connection.execute(_EMPTIED, given))
            case "ALTER TABLE" | "ALTER TYPE" as what:
                yield from _columns(connection, reader, "ATTRIBUTE" if what == "ALTER TYPE" else "COLUMN")
            case kind:
                reader.accept("BY")
                reader.accept("IF EXISTS")
                yield from _with(connection, kind, reader.names(), cascade=kind == "DROP OWNED" or _cascades(reader))


def deleted(statement: str) -> Iterator[tuple[str, str]]:
    """Table and rows of every DELETE, as `FROM ... WHERE ...`."""
    for reader in statements(statement):
        if reader.accept("DELETE FROM"):
            only, table, rest = _starts_with_only(reader), reader.name(), reader.rest()
            end = next((place for place, token in enumerate(rest) if token.keyword == "RETURNING"), len(rest))
            words = text_of(rest[:end], statement)
            using = next((token.start - rest[0].start for token in rest if token.keyword == "USING"), None)
            if using is not None:
                words = f"{words[:using]}, {words[using + len('USING') :]}"
            yield table, f"FROM {'ONLY ' if only else ''}{table} {words}"


def inside(statement: str) -> Iterator[str]:
    """What stands in a DO block, as far as its text tells: each statement that may take something away."""
    for reader in statements(statement):
        if reader.accept("DO"):
            for token in reader.rest():
                yield from (found[0] for found in _TAKES_AWAY.finditer(token.text) if len(token.text) > len(found[0]))


def _columns(connection: Connection, reader: Reader, what: str) -> Iterator[Gone]:
    reader.accept("IF EXISTS")
    only, names = _starts_with_only(reader), reader.names()
    for action in reader.split():
        if action.accept("DROP") and not action.accept("CONSTRAINT"):
            action.accept(what)
            action.accept("IF EXISTS")
            column, cascade = _folded(action.name()), _cascades(action)
            for name in names:
                found = _with(connection, "column", [column], cascade=cascade, of=name)
                yield from (each._replace(only=only) for each in found)


def _with(
    connection: Connection, kind: str, names: list[str], *, cascade: bool, of: str | None = None
) -> Iterator[Gone]:
    query = text(_GONE.format(roots=_ROOTS[kind]))
    given = {"names": names, "cascade": cascade, **({"of": of} if of else {})}
    yield from (Gone(*row) for row in connection.execute(query, given))


def _starts_with_only(reader: Reader) -> bool:
    return reader.accept("ONLY")


def _cascades(reader: Reader) -> bool:
    return reader.has("CASCADE")


def _folded(name: str) -> str:
    """The name that PostgreSQL reads: without quotes, or in lower case."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
