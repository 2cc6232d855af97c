"""What a statement needs, looked for in the catalogue before anything is committed for it.

An operation on a large table commits what the revision did before. Where its table, column, constraint or index is not
there, or its new name is taken, it can only fail, or find nothing to do: it is run as it stands then, in the
transaction, and what fails leaves nothing behind, as with plain Alembic.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from alembic_online.errors import RevisionFailed
from alembic_online.postgres.locks import is_patient, needs_autocommit, needs_commit
from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.sql.tokens import Kind
from alembic_online.recipes.database import Database
from alembic_online.recipes.generated_names import frees_name_of_part, frees_relation_name
from alembic_online.recipes.names import folded


class Need(NamedTuple):
    """A condition of the catalogue; `name` is of a relation or type, `part` of what belongs to it, both as written."""

    kind: str
    name: str
    part: str = ""


# Names of parts are taken as PostgreSQL reads them: without quotes, or in lower case.
_UNMET = """
    WITH given AS (
      SELECT kind, name, part, to_regclass(name) AS relation, (parse_ident(nullif(part, '')))[1] AS read
      FROM json_to_recordset(CAST(:needs AS json)) AS need (kind text, name text, part text)
    )
    SELECT kind, name, part FROM given WHERE relation IS NULL OR CASE
      WHEN kind IN ('column', 'new column') THEN
        EXISTS (SELECT FROM pg_attribute WHERE attrelid = relation AND attname = read AND NOT attisdropped)
      WHEN kind IN ('constraint', 'new constraint') THEN
        EXISTS (SELECT FROM pg_constraint WHERE conrelid = relation AND conname = read)
      WHEN kind = 'new index' THEN
        -- an INVALID one is what an interrupted build left: it is dropped before the next
        EXISTS (SELECT FROM pg_class c JOIN pg_class t ON t.relnamespace = c.relnamespace
                LEFT JOIN pg_index i ON i.indexrelid = c.oid
                WHERE t.oid = relation AND c.relname = read AND i.indisvalid IS NOT false)
      ELSE true END = (kind LIKE 'new %')
"""

_CREATES = ("CREATE SEQUENCE", "CREATE VIEW", "CREATE MATERIALIZED VIEW", "CREATE TABLE", "CREATE UNLOGGED TABLE")
_ALTERS = ("ALTER INDEX", "ALTER SEQUENCE", "ALTER VIEW", "ALTER MATERIALIZED VIEW")
_IS_THERE = "SELECT 1 FROM pg_class WHERE oid = to_regclass(:name)"
_TAKEN = """
    SELECT 1 FROM pg_class c JOIN pg_class other ON other.relnamespace = c.relnamespace
    WHERE c.oid = to_regclass(:renamed) AND other.relname = (parse_ident(:name))[1]
"""


def unmet_need(sql: str, database: Database) -> str:
    """What `sql` needs and is not there, or which new name of it is taken, in words; "" for nothing.

    Asked when the revision first comes here: what it has committed then is no reason not to go on after it.
    """
    return database.recall(f"unmet need of {sql}", lambda: _look(sql, database))


def finds_name_taken(sql: str, database: Database) -> bool:
    """Whether `sql` makes a relation of a name that another has still, or gives it one.

    The other may be an index or a sequence of a table that waits to be dropped: no statement names it.
    """
    for reader in statements(sql):
        if (word := reader.accept_any(*_CREATES)) is not None:
            reader.accept("IF NOT EXISTS")
            parts = reader.parts()
            if database.ask(_IS_THERE, name=".".join(parts)):
                return True
            if "TABLE" in word and frees_name_of_part(parts, sql, database):
                return True
        elif reader.accept_any(*_ALTERS):
            reader.accept("IF EXISTS")
            renamed = reader.name()
            if reader.accept("RENAME TO") and database.ask(_TAKEN, renamed=renamed, name=reader.name()):
                return True
    return False


def must_leave(sql: str) -> bool:
    """Whether it cannot, or need not, be in the revision's transaction."""
    return needs_autocommit(sql) or needs_commit(sql) or is_patient(sql)


def is_in_vain(sql: str, database: Database) -> bool:
    """Whether a statement that would leave the transaction has nothing to do, or is to fail inside of it.

    Raises `RevisionFailed` for one that can only fail, and not inside of a transaction.
    """
    need = unmet_need(sql, database)
    if need and needs_autocommit(sql) and not any(reader.has("EXISTS") for reader in statements(sql)):
        raise RevisionFailed(
            f"{' '.join(sql.split())[:120]}: {need}.", "Nothing is committed for it. Correct the file or the database."
        )
    return bool(need)


def _look(sql: str, database: Database) -> str:
    found = [need for reader in statements(sql) for need in _needs(reader) if not _is_given_up(need, database)]
    if not found:
        return ""
    needs = json.dumps([need._asdict() for need in found])
    return next((_words(Need(*map(str, row))) for row in database.ask(_UNMET, needs=needs)), "")


def _is_given_up(need: Need, database: Database) -> bool:
    """Whether a name is free as soon as what waits is done."""
    kind = need.kind.removeprefix("new ")
    if need.kind == "new index":  # a key has one of its name
        own = any(database.cut_over.gives_up(each, need.name, need.part) for each in ("index", "constraint"))
        return own or frees_relation_name(folded(need.part), need.name, database)
    return kind != need.kind and database.cut_over.gives_up(kind, need.name, need.part)


def _words(need: Need) -> str:
    taken, kind = need.kind.startswith("new "), need.kind.removeprefix("new ")
    what = f"{kind} {need.part} of {need.name}" if need.part else f"{kind} {need.name}"
    return f"{what} is there already" if taken else f"{what} is not there"


def _needs(reader: Reader) -> Iterator[Need]:
    match reader.accept_any("CREATE INDEX", "CREATE UNIQUE INDEX", "DROP INDEX", "ALTER TABLE"):
        case "DROP INDEX":
            reader.accept("CONCURRENTLY")
            if not reader.accept("IF EXISTS"):
                yield Need("index", reader.name())
        case "ALTER TABLE":
            reader.accept("IF EXISTS")
            table = "".join(reader.names()[:1])
            yield Need("table", table)
            actions = list(reader.split())
            # PostgreSQL takes what is dropped first, wherever in the statement it stands.
            free = {_dropped(action) for action in actions if action.accept("DROP")}
            needs = (need for action in actions for need in _of_action(action, table))
            yield from (need for need in needs if not (need.kind.startswith("new ") and need.part in free))
        case None:
            return
        case _:
            yield from _of_index(reader)


def _dropped(action: Reader) -> str:
    action.accept_any("COLUMN", "CONSTRAINT")
    action.accept("IF EXISTS")
    return action.name()


def _of_index(reader: Reader) -> Iterator[Need]:
    reader.accept("CONCURRENTLY")
    may_exist = reader.accept("IF NOT EXISTS")
    name = "" if reader.accept("ON") else reader.name()
    if name:
        reader.accept("ON")
    reader.accept("ONLY")
    table = reader.name()
    yield Need("table", table)
    if name and not may_exist:
        yield Need("new index", table, name)
    if reader.accept("USING"):
        reader.name()
    yield from _columns(reader.parentheses(), table)


def _of_action(action: Reader, table: str) -> Iterator[Need]:
    match action.accept_any("ADD", "ALTER", "VALIDATE CONSTRAINT"):
        case "ADD" if action.accept("CONSTRAINT"):
            yield Need("new constraint", table, action.name())
            yield from _of_constraint(action, table)
        case "ADD" if action.accept_any("CHECK", "EXCLUDE"):
            return
        case "ADD":
            yield from _of_constraint(action, table) or _of_column(action, table)
        case "ALTER" if action.accept("CONSTRAINT"):
            yield Need("constraint", table, action.name())
        case "ALTER":
            action.accept("COLUMN")
            yield Need("column", table, action.name())
        case "VALIDATE CONSTRAINT":
            yield Need("constraint", table, action.name())


def _of_constraint(action: Reader, table: str) -> list[Need]:
    """Empty for what is none that names columns."""
    if not action.accept_any("UNIQUE", "PRIMARY KEY", "FOREIGN KEY"):
        return []
    action.accept("NULLS NOT DISTINCT")
    found = list(_columns(action.parentheses(), table))
    if action.accept("REFERENCES"):
        referred = action.name()
        found += [Need("table", referred), *_columns(action.parentheses(), referred)]
    return found


def _of_column(action: Reader, table: str) -> Iterator[Need]:
    action.accept("COLUMN")
    if not action.accept("IF NOT EXISTS") and (name := action.name()):
        yield Need("new column", table, name)


def _columns(parts: Reader, table: str) -> Iterator[Need]:
    """Of a list, those that stand there by their names; what an expression needs only the server can tell."""
    for part in parts.split():
        name, *rest = part.rest()
        if name.keyword == "PERIOD" and rest:
            name, *rest = rest
        if name.kind in (Kind.WORD, Kind.QUOTED_NAME) and not (rest and rest[0].text in ("(", ".")):
            yield Need("column", table, name.text)
