"""Which objects are there after some statements, and which are gone, by the texts: each of its kind, in its table.

Tables share names for their parts: that one of them has a column of a name says nothing of another one's.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import given_up, last_part, same_name
from alembic_online.runner.facts import Facts, Identity, LastLook

_ANY_CASE = re.IGNORECASE | re.DOTALL
# What facts tell of, with a name that stands in the statement.
_NAMES = re.compile(
    r"\s*(CREATE\s+(UNIQUE\s+)?INDEX|CREATE\s+(TABLE|TRIGGER|POLICY|VIEW|MATERIALIZED\s+VIEW|SEQUENCE|TYPE|DOMAIN)"
    r"|ALTER\s+(TABLE|INDEX|VIEW|SEQUENCE)|DROP)\b",
    _ANY_CASE,
)
_RELATIONS = ("TABLE", "MATERIALIZED VIEW", "VIEW", "SEQUENCE", "TYPE", "DOMAIN")
PARTS = ("column", "constraint", "trigger", "policy")
"""Of a table, each with names of its own."""
_KINDS_GIVEN_UP = (*PARTS, "table", "index", "view", "sequence", "type")
# A constraint without a name: these words stand where others have theirs.
_UNNAMED = frozenset({"check", "unique", "primary", "foreign", "exclude", "not", "on"})
_LONGEST_NAME = 63  # bytes, of PostgreSQL's names


class Named(NamedTuple):
    """One object as a statement names it, without quotes and in lower case."""

    kind: str
    """Of a part of a table its own; "relation" for all that share their names: tables, views, indexes, types."""
    table: str
    """That it is a part of, with its schema where that is written; "" where it stands by itself."""
    name: str
    """Of what stands by itself, with its schema where that is written."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.table}" if self.table else self.name

    @property
    def last_part(self) -> str:
        """The name without a schema; a part of a table has none, whatever dots stand in its name."""
        return self.name if self.table else last_part(self.name)

    def is_like(self, other: "Named") -> bool:
        """Whether the two may mean the same."""
        if self.table:
            return self[::2] == other[::2] and same_name(self.table, other.table)
        return self.kind == other.kind and same_name(self.name, other.name)

    def means(self, identity: Identity) -> bool:
        """Whether that may be it."""
        if self.last_part != identity.name.lower():
            return False
        if self.table:
            return identity.kind == self.kind and same_name(self.table, f"{identity.schema}.{identity.table}".lower())
        is_relation = identity.kind == "index" or not (identity.table or identity.kind in ("schema", "extension"))
        return is_relation and same_name(self.name, f"{identity.schema}.{identity.name}".lower())


def names_afterwards(texts: Iterable[str]) -> dict[Named, bool]:
    """Each that is made or given up, and whether it is there in the end; nothing of what goes with its table."""
    found: dict[Named, bool] = {}
    for text in filter(_NAMES.match, texts):
        gone, new = list(_gone(text)), list(_made(text))
        for each in gone:
            _set(found, each, there=False)
        for each in new:
            _set(found, each, there=True)
        _follow(found, text, gone, new)
    return found


def in_its_schema(named: Named, last: LastLook) -> Named:
    """With the schema that a name without one means, where that is known: two schemas may have a table of that name."""
    if last.facts is None or not last.path or "." in (named.table or named.name):
        return named
    schemas = [schema for schema in last.path if not named.table or _has_table(last.facts, schema, named.table)]
    if not schemas or (not named.table and len(last.path) > 1):
        return named  # nobody knows where it is, or is to be
    if named.table:
        return named._replace(table=f"{schemas[0].lower()}.{named.table}")
    return named._replace(name=f"{schemas[0].lower()}.{named.name}")


def beside(whole: str, name: str) -> str:
    """`name`, in the schema that is written before `whole`, if one is."""
    schema, dot, _ = whole.rpartition(".")
    return f"{schema}{dot}{name}"


def _has_table(facts: Facts, schema: str, name: str) -> bool:
    return any(Identity(kind, schema, "", name) in facts.objects for kind in ("table", "view", "materialized view"))


def _set(found: dict[Named, bool], named: Named, *, there: bool) -> None:
    for each in [each for each in found if each.is_like(named)]:
        del found[each]
    if is_name(named.last_part):
        found[named] = there


def is_name(name: str) -> bool:
    """Whether it can be the name of an object, and no other word in its place."""
    return bool(name) and name not in _UNNAMED and len(name.encode()) <= _LONGEST_NAME


def _follow(found: dict[Named, bool], text: str, gone: list[Named], new: list[Named]) -> None:
    """The parts of a table that goes, or gets another name, are none of it any more."""
    tables = [each.name for each in gone if each.kind == "relation"]
    renamed = new[0].name if len(new) == 1 and new[0].kind == "relation" and "RENAME" in text.upper() else ""
    for each in [each for each in found if each.table and any(same_name(each.table, table) for table in tables)]:
        there = found.pop(each)
        if renamed:
            found[each._replace(table=beside(each.table, last_part(renamed)))] = there


def _gone(text: str) -> Iterator[Named]:
    for each in given_up(text):
        if each.kind in _KINDS_GIVEN_UP:
            yield Named(each.kind if each.kind in PARTS else "relation", each.table, each.name)
    for reader in statements(text):
        word = _altered(reader)
        if word is not None:
            whole = plain(reader.altered())
            for action in reader.split():
                yield from _index_given_up(action, whole, word)


def _index_given_up(action: Reader, whole: str, word: str) -> Iterator[Named]:
    """An index has the name of its constraint, and gets another one with it."""
    if action.accept("RENAME TO"):
        yield from () if word == "ALTER TABLE" else (Named("relation", "", whole),)
    elif action.accept_any("RENAME CONSTRAINT", "DROP CONSTRAINT IF EXISTS", "DROP CONSTRAINT") or (
        action.accept("ADD") and action.skip_to("USING INDEX")
    ):
        yield Named("relation", "", beside(whole, plain(action.name())))


def _made(text: str) -> Iterator[Named]:
    for reader in statements(text):
        if reader.accept("CREATE"):
            yield from _created(reader)
        elif (word := _altered(reader)) is not None:
            whole = plain(reader.altered())
            for action in reader.split():
                yield from _by_action(action, whole, word)


def _altered(reader: Reader) -> str | None:
    return reader.accept_any(*(f"ALTER {word}" for word in ("TABLE", "INDEX", "VIEW", "SEQUENCE", "MATERIALIZED VIEW")))


def _created(reader: Reader) -> Iterator[Named]:
    reader.accept("OR REPLACE")
    word = reader.skip_to("INDEX", "TRIGGER", "POLICY", *_RELATIONS)
    reader.accept("CONCURRENTLY")
    reader.accept("IF NOT EXISTS")
    name = plain(reader.name())
    if word == "TYPE" and not reader.has("AS"):
        return  # of those that a library implements facts do not tell
    if word in _RELATIONS:
        yield Named("relation", "", name)
    elif word is not None and reader.skip_to("ON"):
        reader.accept("ONLY")
        table = plain(reader.name())
        if word == "INDEX":  # it is in the schema of its table
            yield Named("relation", "", beside(table, name))
        else:
            yield Named(word.lower(), table, name)


def _by_action(action: Reader, whole: str, word: str) -> Iterator[Named]:
    if action.accept("ADD"):
        kind = "constraint" if action.accept("CONSTRAINT") else "column"
        action.accept("COLUMN")
        action.accept("IF NOT EXISTS")
        name = plain(action.name())
        if not (kind == "constraint" and action.comes("NOT NULL")):  # facts tell that of the column (PostgreSQL 18)
            yield Named(kind, whole, name)
    elif action.accept("RENAME TO"):
        yield Named("relation", "", beside(whole, plain(action.name())))
    elif action.accept("RENAME CONSTRAINT"):
        action.skip_to("TO")
        yield Named("constraint", whole, plain(action.name()))
    elif word != "ALTER INDEX" and action.accept("RENAME") and action.skip_to("TO"):
        yield Named("column", whole, plain(action.name()))
