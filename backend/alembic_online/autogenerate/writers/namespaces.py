"""Schemas and extensions."""

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import Comment, sql
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.postgres.catalogue import Attribute, CatalogueObject
from alembic_online.postgres.declared import release


class SchemaWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"SCHEMA {quoted(entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return f"CREATE {self.target(entry)}"


class ExtensionWriter(StatementWriter):
    """Its objects are its own; its comment comes with it."""

    def target(self, entry: CatalogueObject) -> str:
        return f"EXTENSION {quoted(entry.name)}"

    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        schema = entry.text(Attribute.SCHEMA)
        place = "" if schema == context.new.default else f" SCHEMA {quoted(schema)}"
        return [sql(f"CREATE {self.target(entry)}{place}")]

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        lines: list[MigrateOperation] = []
        alter, after = f"ALTER {self.target(change.after)}", change.after.attributes
        if Attribute.SCHEMA in change.attributes:
            lines.append(sql(f"{alter} SET SCHEMA {quoted(str(after[Attribute.SCHEMA]))}"))
        if Attribute.VERSION in change.attributes:
            lines.append(self._version(change, alter))
        return lines

    def _version(self, change: Change, alter: str) -> MigrateOperation:
        old, new = (entry.text(Attribute.VERSION) for entry in (change.before, change.after))
        if release(new) < release(old):
            return Comment(
                f"Extension {change.identity.name} stays at {old}: few have a way back, to {new} or any other."
            )
        return sql(f"{alter} UPDATE TO {quoted(new)}")
