"""Row security policies and extended statistics."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.definition_parser import clauses, wrapped
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

_EXPRESSIONS = {Attribute.USING: "USING", Attribute.CHECK: "WITH CHECK"}


class PolicyWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"POLICY {quoted(entry.name)} ON {quoted(entry.schema, entry.identity.table)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        kind = " AS RESTRICTIVE" if Attribute.RESTRICTIVE in stated else ""
        command = f" FOR {str(stated[Attribute.COMMAND]).upper()}" if stated[Attribute.COMMAND] != "all" else ""
        return f"CREATE {self.target(entry)}{kind}{command}{''.join(_clauses(entry))}"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        """ALTER POLICY changes its roles and expressions, and takes no expression away."""
        after = change.after.attributes
        gone = any(name not in after for name in change.attributes & _EXPRESSIONS.keys())
        if gone or change.attributes & {Attribute.COMMAND, Attribute.RESTRICTIVE}:
            return None
        return [sql(f"ALTER {self.target(change.after)}{''.join(_clauses(change.after))}")]


def _clauses(entry: CatalogueObject) -> Iterator[str]:
    stated = entry.attributes
    yield f" TO {', '.join(entry.items(Attribute.ROLES))}"
    for name, word in _EXPRESSIONS.items():
        if name in stated:
            yield f" {word} {wrapped(str(stated[name]))}"


class StatisticsWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"STATISTICS {clauses(self._definition(entry))[2]}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return self._definition(entry)

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        if entry.has(Attribute.TARGET):
            yield self._sampled(entry)

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        return None if Attribute.DEFINITION in change.attributes else [self._sampled(change.after)]

    def _sampled(self, entry: CatalogueObject) -> MigrateOperation:
        return sql(f"ALTER {self.target(entry)} SET STATISTICS {entry.attributes.get(Attribute.TARGET, -1)}")

    def _definition(self, entry: CatalogueObject) -> str:
        return entry.text(Attribute.DEFINITION)
