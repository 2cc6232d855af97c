"""What a statement gives up and what it makes, by its text: that says which statements may change places.

Names are compared without quotes and in lower case; where one of two has no schema, the schema does not count.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.sql.identifiers import object_name
from alembic_online.postgres.sql.tokens import Kind, Token
from alembic_online.recipes.names import plain

_STARTS = ("CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE")
_HANGING = ("TRIGGER", "POLICY", "RULE")
_NAMED = ("VIEW", "TABLE", "TYPE", "DOMAIN", "SEQUENCE", "FUNCTION", "PROCEDURE", "ROUTINE", "INDEX")
_CREATED = (*_NAMED, *_HANGING, "SCHEMA", "EXTENSION")
_KINDS = {"ROUTINE": "function", "PROCEDURE": "function", "DOMAIN": "type"}


class GivenUp(NamedTuple):
    """One thing that goes, or loses its name; `table` is that of a part of a table, "" for anything else."""

    kind: str
    table: str
    name: str
    written: str = ""
    """The name as SQL writes it."""
    stays: bool = False
    """It is there afterwards, under another name."""


def is_definition(sql: str) -> bool:
    """Whether all of it changes the catalogue alone, as far as its first words tell."""
    found = list(statements(sql))
    return bool(found) and all(reader.accept_any(*_STARTS) for reader in found)


def given_up(sql: str) -> Iterator[GivenUp]:
    """What `sql` drops, or gives another name."""
    for reader in statements(sql):
        if reader.accept("DROP"):
            yield from _dropped(reader)
        elif reader.accept("ALTER TABLE"):
            yield from _altered(reader)
        elif reader.accept("ALTER PUBLICATION") and (name := reader.name()) and reader.accept("DROP"):
            yield GivenUp("publication", "", plain(name))
        elif reader.accept("REVOKE"):
            yield from _of_roles(reader, "FROM")
        elif reader.accept_any("ALTER TYPE", "ALTER DOMAIN") and (name := reader.name()) and reader.accept("RENAME TO"):
            yield GivenUp("type", "", plain(name), name, stays=True)


def switched_on(sql: str) -> Iterator[GivenUp]:
    """The row security and triggers of tables that `sql` switches on, in the words by which they are switched off."""
    for reader in statements(sql):
        if reader.accept("ALTER TABLE"):
            table = plain(reader.altered())
            names = (
                _switched(action, "ENABLE ALWAYS", "ENABLE REPLICA", "ENABLE", "FORCE") for action in reader.split()
            )
            yield from (GivenUp("switch", table, name) for name in names if name is not None)


def _switched(action: Reader, *words: str) -> str | None:
    """What such a word switches: `row level security`, `force row level security`, or `trigger` with its name."""
    word = action.accept_any(*words)
    if word is None:
        return None
    if action.accept("ROW LEVEL SECURITY"):
        return f"{'force ' if 'FORCE' in word else ''}row level security"
    return f"trigger {plain(action.name())}" if action.accept("TRIGGER") else None


def granted(sql: str) -> Iterator[GivenUp]:
    """What `sql` grants of tables, in the words by which a REVOKE gives it up."""
    for reader in statements(sql):
        if reader.accept("GRANT"):
            yield from _of_roles(reader, "TO")


def _of_roles(reader: Reader, word: str) -> Iterator[GivenUp]:
    if not reader.skip_to("ON"):
        return
    reader.accept("TABLE")
    tables = reader.names()
    roles = reader.names() if reader.accept(word) else []
    yield from (GivenUp("grant", plain(table), plain(role)) for table in tables for role in roles)


def besides_dropped(sql: str, tables: Iterable[str]) -> list[str]:
    """Those of `tables` that `sql` does not drop as a whole: a lock on what goes holds up nobody with work to do."""
    dropped = [name for reader in statements(sql) if reader.accept("DROP TABLE") for name in _dropped_names(reader)]
    return [table for table in tables if not any(same_name(plain(table), name) for name in dropped)]


def _dropped_names(reader: Reader) -> list[str]:
    reader.accept("IF EXISTS")
    return [plain(name) for name in reader.names()]


def made(sql: str) -> Iterator[str]:
    """The plain names, without a schema, of what `sql` makes: the statements after it may name them."""
    for reader in statements(sql):
        if reader.accept("CREATE"):
            reader.accept("OR REPLACE")
            if reader.skip_to(*_CREATED):
                reader.accept("CONCURRENTLY")
                reader.accept("IF NOT EXISTS")
                yield last_part(plain(reader.name()))
        elif reader.accept("ALTER"):
            yield from _made_by_altering(reader)


def last_part(name: str) -> str:
    """A name without its schema."""
    return name.rpartition(".")[2]


def same_name(one: str, other: str) -> bool:
    """Whether two plain names may mean the same relation."""
    if "." in one and "." in other:
        return one == other
    return last_part(one) == last_part(other)


def _dropped(reader: Reader) -> Iterator[GivenUp]:
    reader.accept("MATERIALIZED")
    word = reader.accept_any(*_NAMED, *_HANGING)
    if word is None:
        return
    reader.accept("CONCURRENTLY")
    reader.accept("IF EXISTS")
    kind = _KINDS.get(word, word.lower())
    if word in _HANGING:
        name = plain(reader.name())
        reader.accept("ON")
        yield GivenUp(kind, plain(reader.name()), name)
        return
    for part in reader.split():
        yield GivenUp(kind, "", plain(part.name()))


def _altered(reader: Reader) -> Iterator[GivenUp]:
    table = plain(reader.altered())
    for action in reader.split():
        if action.accept("DROP CONSTRAINT"):
            action.accept("IF EXISTS")
            yield _part("constraint", table, action.name())
        elif action.accept("DROP"):
            action.accept("COLUMN")
            action.accept("IF EXISTS")
            yield _part("column", table, action.name())
        elif action.accept("ALTER"):
            action.accept("COLUMN")
            column = action.name()
            if action.accept_any("DROP DEFAULT", "DROP IDENTITY"):
                yield _part("default", table, column)
            elif action.accept_any("SET DEFAULT", "ADD GENERATED"):
                yield _part("default", table, column)
                yield from _numbers(action, table, column)
            elif action.accept("DROP NOT NULL"):
                yield _part("not null", table, column)
        elif (name := _switched(action, "DISABLE", "NO FORCE")) is not None:
            yield GivenUp("switch", table, name)
        elif action.accept("RENAME TO"):
            yield GivenUp("table", "", table)
        elif action.accept("RENAME CONSTRAINT"):
            yield _part("constraint", table, action.name())._replace(stays=True)
        elif action.accept("RENAME"):
            action.accept("COLUMN")
            yield _part("column", table, action.name())


def _numbers(action: Reader, table: str, column: str) -> Iterator[GivenUp]:
    """Its numbers come from another sequence, behind SET DEFAULT or ADD GENERATED; `written` is the name of that."""
    rest = list(action.rest())
    if action.has("IDENTITY"):
        named = action.skip_to("SEQUENCE NAME") is not None
        own = action.name() if named else object_name(last_part(table), plain(column), "seq")
        yield GivenUp("numbers", table, plain(column), last_part(plain(own)))
    elif action.has("NEXTVAL"):
        yield GivenUp("numbers", table, plain(column), next(iter(names_in_strings(rest)), ""))


def sets_default(sql: str) -> bool:
    """Whether it gives a column a default, or an identity."""
    return "SET DEFAULT" in sql.upper() or "ADD GENERATED" in sql.upper()


def names_in_strings(found: Iterable[Token]) -> list[str]:
    """What the string constants among these name, plain and without a schema: `'public.books_id_seq'`."""
    return [last_part(plain(each.text.strip("'"))) for each in found if each.kind is Kind.STRING]


def _part(kind: str, table: str, written: str) -> GivenUp:
    return GivenUp(kind, table, plain(written), written)


def _made_by_altering(reader: Reader) -> Iterator[str]:
    reader.accept_any("TABLE", "TYPE", "VIEW", "INDEX", "SEQUENCE", "MATERIALIZED VIEW")
    reader.altered()
    for action in reader.split():
        if action.accept("ADD"):
            action.accept_any("COLUMN", "CONSTRAINT")
            action.accept("IF NOT EXISTS")
            yield plain(action.name())
        elif action.accept("RENAME") and action.skip_to("TO"):
            yield last_part(plain(action.name()))
