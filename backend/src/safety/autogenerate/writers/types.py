"""What is the same for all types: their comments and privileges, and how one takes the place of another of its name."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Identity, Kind
from src.safety.autogenerate.call import Call, sql
from src.safety.autogenerate.column_types import column_type, user_type
from src.safety.autogenerate.context import Change, Context, quoted
from src.safety.autogenerate.server_default import server_default
from src.safety.autogenerate.writers.column_changes import NEEDS_ITS_TYPE
from src.safety.autogenerate.writers.privileges import altered_grants, grants
from src.safety.autogenerate.writers.writer import Writer, comment, comment_on

_LONGEST = 63


def type_name(entry: CatalogueObject) -> str:
    """`public.theme`."""
    return quoted(entry.schema, entry.name)


class TypeWriter(Writer):
    """Comments and privileges, by the word that SQL has for the kind; how to drop a type."""

    word = "TYPE"

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"DROP {self.word} {type_name(entry)}")]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        return None if change.attributes - {"comment", "privileges"} else self.altered_ends(change)

    def ends(self, entry: CatalogueObject) -> list[MigrateOperation]:
        """The lines after CREATE."""
        target = f"{self.word} {type_name(entry)}"
        return [*comment(target, entry), *grants(f"TYPE {type_name(entry)}", entry)]

    def altered_ends(self, change: Change) -> list[MigrateOperation]:
        """The lines that change the comment and the privileges."""
        target = f"{self.word} {type_name(change.after)}"
        lines = [comment_on(target, change.after)] if "comment" in change.attributes else []
        return [*lines, *altered_grants(f"TYPE {type_name(change.after)}", change)]


class Passage(NamedTuple):
    """How a value goes from the old type to the new one: as `through`, and by a cast if assignment is not enough."""

    through: str = "text"
    cast: bool = True


def replaced(
    change: Change, context: Context, create: list[MigrateOperation], passage: Passage
) -> Iterator[MigrateOperation]:
    """The lines that put a new type, made by `create`, in the place of the old one, and lead the columns over."""
    before = change.before
    aside = f"{before.name[: _LONGEST - 4]}_old"
    word = "DOMAIN" if before.kind is Kind.DOMAIN else "TYPE"
    yield sql(f"ALTER {word} {type_name(before)} RENAME TO {quoted(aside)}")
    yield from create
    for old, new in _columns(change.identity, context):
        yield _led_over(old, new, context, change.identity, passage)
    yield sql(f"DROP {word} {quoted(before.schema, aside)}")


def in_the_way(change: Change, context: Context) -> Iterator[Identity]:
    """What must be gone while a type is replaced: all that names it but plain columns, and what needs their type."""
    catalogue = context.old.catalogue
    for dependent in context.old.needed_by.get(change.identity, ()):
        entry = catalogue[dependent]
        if dependent.kind is not Kind.COLUMN or "generated" in entry.attributes:
            if entry.parent != change.identity:
                yield dependent
        elif entry.parent is not None and entry.parent.kind is not Kind.TABLE:
            yield entry.parent
        else:
            for user in context.old.needed_by.get(dependent, ()):
                attributes = catalogue[user].attributes
                if (
                    user.kind in NEEDS_ITS_TYPE
                    or "generated" in attributes
                    or (user.kind is Kind.CONSTRAINT and attributes["type"] == "foreign key")
                ):
                    yield user


def _columns(type_: Identity, context: Context) -> Iterator[tuple[CatalogueObject, CatalogueObject]]:
    """The plain columns of tables that need the type before and after; those of children follow their parents'."""
    for identity in sorted(context.old.needed_by.get(type_, ())):
        before, after = context.old.catalogue[identity], context.new.catalogue.get(identity)
        table = before.parent is not None and before.parent.kind is Kind.TABLE
        if after is None or not table or identity.kind is not Kind.COLUMN or "generated" in before.attributes:
            continue
        if "inherited" not in before.attributes and type_ in context.new.needs.get(identity, ()):
            yield before, after


def _led_over(
    old: CatalogueObject, new: CatalogueObject, context: Context, type_: Identity, passage: Passage
) -> MigrateOperation:
    _, schema, table, name = old.identity
    printed = str(old.attributes["type"])
    options: dict[str, Any] = {}
    own = user_type(printed, context.old)
    if own is not None and own.identity == type_:
        array = "[]" if printed.endswith("[]") else ""
        cast = f"::{printed}" if passage.cast or array else ""
        options = {
            "type_": column_type(printed, context.new),
            "postgresql_using": f"{quoted(name)}::{passage.through}{array}{cast}",
        }
    if "default" in old.attributes:
        options["server_default"] = server_default(old)
    return Call("alter_column", table, name, **options, schema=context.schema_option(schema))
