"""Indexes that no constraint owns."""

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject
from src.safety.autogenerate.call import Call
from src.safety.autogenerate.context import Context
from src.safety.autogenerate.writers.writer import Writer


class IndexWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        raise NotImplementedError

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        _, schema, table, name = entry.identity
        return [Call("drop_index", name, table_name=table, schema=context.schema_option(schema))]
