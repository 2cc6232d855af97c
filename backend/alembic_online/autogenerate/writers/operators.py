"""Operators, their families and classes, and casts."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.definition_parser import items
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

_LINKS = {Attribute.COMMUTATOR: "COMMUTATOR", Attribute.NEGATOR: "NEGATOR"}
_ESTIMATES = {Attribute.RESTRICTION: "RESTRICT", Attribute.JOIN: "JOIN"}
_FLAGS = {Attribute.HASHES: "HASHES", Attribute.MERGES: "MERGES"}
_METHODS = {"binary": "WITHOUT FUNCTION", "in and out": "WITH INOUT"}
_CONTEXTS = {"implicit": " AS IMPLICIT", "assignment": " AS ASSIGNMENT"}


class OperatorWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        symbol, arguments = _signature(entry.name)
        return f"OPERATOR {quoted(entry.schema)}.{symbol} {arguments}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated, (symbol, arguments) = entry.attributes, _signature(entry.name)
        left, right = items(arguments)
        options = [f"FUNCTION = {_signature(str(stated[Attribute.FUNCTION]))[0]}"]
        options += [f"LEFTARG = {left}"] if left != "NONE" else []
        options.append(f"RIGHTARG = {right}")
        for name, word in _LINKS.items():
            options += [f"{word} = OPERATOR({_signature(str(stated[name]))[0]})"] if name in stated else []
        options += [f"{word} = {stated[name]}" for name, word in _ESTIMATES.items() if name in stated]
        options += [word for name, word in _FLAGS.items() if name in stated]
        return f"CREATE OPERATOR {quoted(entry.schema)}.{symbol} ({', '.join(options)})"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if change.attributes - _ESTIMATES.keys() - {Attribute.COMMENT}:
            return None
        wanted = {name: word for name, word in _ESTIMATES.items() if name in change.attributes}
        options = ", ".join(f"{word} = {change.after.attributes.get(name, 'NONE')}" for name, word in wanted.items())
        return [sql(f"ALTER {self.target(change.after)} SET ({options})")]


class OperatorFamilyWriter(StatementWriter):
    """All that its classes are made of stands with the family, as in the catalogue."""

    def target(self, entry: CatalogueObject) -> str:
        return f"OPERATOR FAMILY {_using(entry)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return f"CREATE {self.target(entry)}"

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        if members := _members(entry):
            yield sql(f"ALTER {self.target(entry)} ADD {', '.join(members)}")

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        before, after = _members(change.before), _members(change.after)
        gone, new = ([item for item in a if item not in b] for a, b in ((before, after), (after, before)))
        lines: list[MigrateOperation] = []
        if gone:
            lines.append(sql(f"ALTER {self.target(change.after)} DROP {', '.join(map(_place, gone))}"))
        if new:
            lines.append(sql(f"ALTER {self.target(change.after)} ADD {', '.join(new)}"))
        return lines


class OperatorClassWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"OPERATOR CLASS {_using(entry)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        name, _, method = _using(entry).partition(" USING ")
        default = " DEFAULT" if Attribute.DEFAULT in stated else ""
        start = f"CREATE OPERATOR CLASS {name}{default} FOR TYPE {stated[Attribute.TYPE]} USING {method}"
        storage = stated.get(Attribute.STORAGE, stated[Attribute.TYPE])
        return f"{start} FAMILY {stated[Attribute.FAMILY]} AS STORAGE {storage}"


class CastWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        source, _, target = entry.name.partition(" as ")
        return f"CAST ({source} AS {target})"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        method = _METHODS.get(str(stated[Attribute.METHOD])) or f"WITH FUNCTION {stated[Attribute.FUNCTION]}"
        return f"CREATE {self.target(entry)} {method}{_CONTEXTS.get(str(stated[Attribute.CONTEXT]), '')}"


def _signature(printed: str) -> tuple[str, str]:
    """`public.===` and `(integer, integer)`."""
    name, _, arguments = printed.partition("(")
    return name, f"({arguments}"


def _using(entry: CatalogueObject) -> str:
    name, _, method = entry.name.rpartition(" using ")
    return f"{quoted(entry.schema, name)} USING {quoted(method)}"


def _members(entry: CatalogueObject) -> list[str]:
    """`OPERATOR 1 <(integer,integer)`, ..."""
    members = (member.partition(" ") for member in entry.items(Attribute.MEMBERS))
    return [f"{word.upper()} {rest}" for word, _, rest in members]


def _place(member: str) -> str:
    """The member as DROP calls it: its number and types."""
    word, number, rest = member.split(" ", 2)
    types = rest.partition(")")[0] if word == "FUNCTION" else rest.partition("(")[2].partition(")")[0]
    return f"{word} {number} ({types.removeprefix('(')})"
