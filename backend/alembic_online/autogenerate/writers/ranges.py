"""Range types with their multiranges, and base types, which only a superuser makes, out of functions in C."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.definition_parser import qualified_name
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.types import Passage, TypeWriter, beside, type_name
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

_THREE_STEPS = "a base type is made of functions in C that take it: let an extension make it"
_OPTIONS = {
    Attribute.SUBTYPE: "SUBTYPE",
    Attribute.SUBTYPE_OPERATOR_CLASS: "SUBTYPE_OPCLASS",
    Attribute.SUBTYPE_COLLATION: "COLLATION",
    Attribute.DIFFERENCE_FUNCTION: "SUBTYPE_DIFF",
    Attribute.MULTIRANGE: "MULTIRANGE_TYPE_NAME",
}


class RangeWriter(TypeWriter):
    def statement(self, entry: CatalogueObject, context: Context) -> str:
        if entry.has(Attribute.CANONICAL_FUNCTION):
            raise CannotWrite(
                entry.identity, "its canonical function is one in C that takes the type: let an extension make both"
            )
        options = ", ".join(f"{word} = {value}" for word, value in _stated(entry))
        return f"CREATE TYPE {type_name(entry)} AS RANGE ({options})"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        before, after = (qualified_name(entry.text(Attribute.MULTIRANGE)) for entry in (change.before, change.after))
        if change.attributes - {Attribute.MULTIRANGE, Attribute.COMMENT, Attribute.PRIVILEGES} or before[0] != after[0]:
            return None
        return [sql(f"ALTER TYPE {quoted(*before)} RENAME TO {quoted(after[1])}")]

    def passage(self, change: Change, context: Context) -> Passage | None:
        used = context.old.needed_by.get(change.identity)
        return Passage() if used and self.change(change, context) is None else None

    def aside(self, entry: CatalogueObject) -> Iterator[MigrateOperation]:
        """The functions that construct its values keep their names, unlike the type, and some of their arguments."""
        yield from super().aside(entry)
        schema, name = qualified_name(entry.text(Attribute.MULTIRANGE))
        yield sql(f"ALTER TYPE {quoted(schema, name)} RENAME TO {quoted(beside(name))}")
        subtype = entry.attributes[Attribute.SUBTYPE]
        for arguments in (f"{subtype}, {subtype}", f"{subtype}, {subtype}, text"):
            yield sql(f"ALTER FUNCTION {type_name(entry)}({arguments}) RENAME TO {quoted(beside(entry.name))}")
        yield sql(f"ALTER FUNCTION {quoted(schema, name)}() RENAME TO {quoted(beside(name))}")


class BaseTypeWriter(TypeWriter):
    def statement(self, entry: CatalogueObject, context: Context) -> str:
        raise CannotWrite(entry.identity, _THREE_STEPS)

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        raise CannotWrite(change.identity, _THREE_STEPS)


def _stated(entry: CatalogueObject) -> Iterator[tuple[str, str]]:
    for name, word in _OPTIONS.items():
        value = entry.attributes.get(name)
        if value is not None and (
            name != Attribute.MULTIRANGE or qualified_name(str(value))[1] != _multirange(entry.name)
        ):
            yield word, str(value)


def _multirange(name: str) -> str:
    """What PostgreSQL calls it if nobody says (PostgreSQL 18, makeMultirangeTypeName)."""
    return name.replace("range", "multirange", 1) if "range" in name else f"{name}_multirange"
