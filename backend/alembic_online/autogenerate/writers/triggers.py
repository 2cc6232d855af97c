"""Triggers, rules and event triggers."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

_FIRING = {None: "ENABLE", "disabled": "DISABLE", "on replicas": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}


class _Firing(StatementWriter):
    """What fires, unless it is disabled."""

    word: str

    def target(self, entry: CatalogueObject) -> str:
        return f"{self.word} {quoted(entry.name)} ON {_table(entry)}"

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        if entry.has(Attribute.FIRING):
            yield self.fires(entry)

    def fires(self, entry: CatalogueObject) -> MigrateOperation:
        """When it fires."""
        return sql(f"ALTER TABLE {_table(entry)} {_firing(entry)} {self.word} {quoted(entry.name)}")

    def replacing(self, change: Change) -> str | None:
        """The statement that puts the new one in the place of the old; None if there is none."""
        return None

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if change.attributes <= {Attribute.FIRING, Attribute.COMMENT, Attribute.PRIVILEGES}:
            return [self.fires(change.after)]
        replacing = self.replacing(change)
        if replacing is None:
            return None
        # A replaced trigger is enabled again, a replaced rule stays as it was.
        said = change.before.has(Attribute.FIRING) or change.after.has(Attribute.FIRING)
        return [sql(replacing), *([self.fires(change.after)] if said else [])]


class TriggerWriter(_Firing):
    word = "TRIGGER"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return entry.text(Attribute.STATEMENT)

    def replacing(self, change: Change) -> str | None:
        """A constraint trigger cannot be replaced."""
        if change.before.has(Attribute.CONSTRAINT) or change.after.has(Attribute.CONSTRAINT):
            return None
        return change.after.text(Attribute.STATEMENT).replace("CREATE", "CREATE OR REPLACE", 1)


class RuleWriter(_Firing):
    word = "RULE"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return entry.text(Attribute.DEFINITION).rstrip(";")

    def replacing(self, change: Change) -> str | None:
        return change.after.text(Attribute.DEFINITION).rstrip(";").replace("CREATE", "CREATE OR REPLACE", 1)


class EventTriggerWriter(_Firing):
    word = "EVENT TRIGGER"

    def target(self, entry: CatalogueObject) -> str:
        return f"EVENT TRIGGER {quoted(entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        event, tags = entry.text(Attribute.EVENT), entry.items(Attribute.TAGS)
        when = f" WHEN TAG IN ({', '.join(map(literal, tags))})" if tags else ""
        return f"CREATE {self.target(entry)} ON {event}{when} EXECUTE FUNCTION {entry.text(Attribute.FUNCTION)}"

    def fires(self, entry: CatalogueObject) -> MigrateOperation:
        return sql(f"ALTER {self.target(entry)} {_firing(entry)}")


def _firing(entry: CatalogueObject) -> str:
    firing = entry.attributes.get(Attribute.FIRING)
    return _FIRING[None if firing is None else str(firing)]


def _table(entry: CatalogueObject) -> str:
    return quoted(entry.schema, entry.identity.table)
