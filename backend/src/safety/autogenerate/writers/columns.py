"""Columns."""

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject
from src.safety.autogenerate.call import Call, Code, code, text
from src.safety.autogenerate.column_types import column_type
from src.safety.autogenerate.context import Change, Context
from src.safety.autogenerate.writers.writer import Writer


def column(entry: CatalogueObject) -> Code:
    """`sa.Column(...)`."""
    stated = entry.attributes
    default = stated.get("default")
    return code(
        "sa.Column",
        entry.name,
        column_type(str(stated["type"])),
        server_default=None if default is None else text(str(default)),
        nullable="not null" not in stated,
        comment=stated.get("comment"),
    )


class ColumnWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        _, schema, table, _ = entry.identity
        return [Call("add_column", table, column(entry), schema=context.schema_option(schema))]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        _, schema, table, name = entry.identity
        return [Call("drop_column", table, name, schema=context.schema_option(schema))]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        raise NotImplementedError
