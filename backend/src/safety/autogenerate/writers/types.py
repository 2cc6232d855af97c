"""What is the same for all types: their comments and privileges, and how one takes the place of another of its name."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Identity, Kind
from src.safety.autogenerate.call import Call, sql
from src.safety.autogenerate.column_types import column_type, user_type
from src.safety.autogenerate.context import Change, Context, quoted
from src.safety.autogenerate.server_default import NONE, server_default
from src.safety.autogenerate.writers.column_changes import NEEDS_ITS_TYPE, OTHER_TYPE
from src.safety.autogenerate.writers.statements import StatementWriter
from src.safety.autogenerate.writers.writer import sorts

_LONGEST = 63


def type_name(entry: CatalogueObject) -> str:
    """`public.theme`."""
    return quoted(entry.schema, entry.name)


class Passage(NamedTuple):
    """How a value goes from the old type to the new one: as `through`, and by a cast if assignment is not enough."""

    through: str = "text"
    cast: bool = True


class TypeWriter(StatementWriter):
    """A type. Where it cannot be altered, a new one takes its place, and the columns are led over."""

    word = "TYPE"

    def target(self, entry: CatalogueObject) -> str:
        return f"{self.word} {type_name(entry)}"

    def granted(self, entry: CatalogueObject) -> str:
        return f"TYPE {type_name(entry)}"

    def passage(self, change: Change) -> Passage | None:
        """How the values go, if a new type must take the place of the old one."""
        return None

    def remarks(self, change: Change) -> Iterator[MigrateOperation]:
        """What a reader should know before."""
        return iter(())

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        passage = self.passage(change)
        if passage is None:
            return super().alter(change, context)
        return [*self.remarks(change), *self._replaced(change, context, passage)]

    def disturbed(self, change: Change, context: Context) -> Iterator[Identity]:
        if self.passage(change) is not None:
            yield from _in_the_way(change, context)

    def _replaced(self, change: Change, context: Context, passage: Passage) -> Iterator[MigrateOperation]:
        """The old type is renamed, the new one made, every column led over, the old one dropped."""
        before = change.before
        aside = f"{before.name[: _LONGEST - 4]}_old"
        yield sql(f"ALTER {self.target(before)} RENAME TO {quoted(aside)}")
        yield from self.create(change.after, context)
        for old in _columns(change.identity, context):
            yield from _led_over(old, context, change.identity, passage)
        yield sql(f"DROP {self.word} {quoted(before.schema, aside)}")


def _in_the_way(change: Change, context: Context) -> Iterator[Identity]:
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
                if (NEEDS_ITS_TYPE | OTHER_TYPE) & sorts(catalogue[user]):
                    yield user


def _columns(type_: Identity, context: Context) -> Iterator[CatalogueObject]:
    """The plain columns of tables that need the type before and after; those of children follow their parents'."""
    for identity in sorted(context.old.needed_by.get(type_, ())):
        before, after = context.old.catalogue[identity], context.new.catalogue.get(identity)
        table = before.parent is not None and before.parent.kind is Kind.TABLE
        if after is None or not table or identity.kind is not Kind.COLUMN or "generated" in before.attributes:
            continue
        if "inherited" not in before.attributes and type_ in context.new.needs.get(identity, ()):
            yield before


def _led_over(old: CatalogueObject, context: Context, type_: Identity, passage: Passage) -> Iterator[MigrateOperation]:
    """One column's values and default. A default that changes is set by the column's own change, which comes after."""
    _, schema, table, name = old.identity
    printed, default = str(old.attributes["type"]), old.attributes.get("default")

    def alter(**options: Any) -> MigrateOperation:
        return Call("alter_column", table, name, **options, schema=context.schema_option(schema))

    stays = default == context.new.catalogue[old.identity].attributes.get("default")
    again = {"server_default": server_default(old)} if default is not None and stays else {}
    own = user_type(printed, context.old)
    if default is not None and ((own is not None and own.identity == type_) or not stays):
        yield alter(server_default=NONE)
    if own is not None and own.identity == type_:
        array = "[]" if printed.endswith("[]") else ""
        cast = f"::{printed}" if passage.cast or array else ""
        using = f"{quoted(name)}::{passage.through}{array}{cast}"
        yield alter(type_=column_type(printed, context.new), postgresql_using=using, **again)
    elif again:
        yield alter(**again)
