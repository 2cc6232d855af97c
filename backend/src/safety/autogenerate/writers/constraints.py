"""Primary keys, unique, foreign key, check and exclusion constraints."""

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject
from src.safety.autogenerate.call import Call, Code, code, text
from src.safety.autogenerate.context import Context
from src.safety.autogenerate.writers.writer import Writer


def constraint(entry: CatalogueObject) -> Code:
    """`sa.CheckConstraint(...)` and the like, inside of a table."""
    definition = str(entry.attributes["definition"])
    if entry.attributes["type"] == "check":
        return code("sa.CheckConstraint", text(definition.removeprefix("CHECK (")[:-1]), name=entry.name)
    if entry.attributes["type"] == "primary key":
        columns = definition.partition("(")[2].rstrip(")").split(", ")
        return code("sa.PrimaryKeyConstraint", *columns, name=entry.name)
    raise NotImplementedError(definition)


class ConstraintWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        raise NotImplementedError

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        _, schema, table, name = entry.identity
        type_ = {"primary key": "primary", "unique": "unique", "foreign key": "foreignkey", "check": "check"}
        option = type_.get(str(entry.attributes["type"]))
        return [Call("drop_constraint", name, table, type_=option, schema=context.schema_option(schema))]
