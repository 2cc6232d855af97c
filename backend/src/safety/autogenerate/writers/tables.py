"""Tables, with their columns and constraints."""

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Kind
from src.safety.autogenerate.call import Call
from src.safety.autogenerate.context import Change, Context
from src.safety.autogenerate.writers.columns import column
from src.safety.autogenerate.writers.constraints import constraint
from src.safety.autogenerate.writers.writer import Writer


class TableWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        children = [child for child in context.new.children(entry.identity) if self.covers(entry, child, context)]
        columns = [column(child) for child in children if child.kind is Kind.COLUMN]
        constraints = [constraint(child) for child in children if child.kind is Kind.CONSTRAINT]
        schema, comment = context.schema_option(entry.schema), entry.attributes.get("comment")
        return [Call("create_table", entry.name, *columns, *constraints, schema=schema, comment=comment)]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [Call("drop_table", entry.name, schema=context.schema_option(entry.schema))]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        raise NotImplementedError

    def covers(self, parent: CatalogueObject, child: CatalogueObject, context: Context) -> bool:
        if child.kind is Kind.CONSTRAINT:
            return child.identity not in context.separate
        return child.kind is Kind.COLUMN
