"""Functions and procedures."""

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.postgres.catalogue import Attribute, CatalogueObject


class RoutineWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"{entry.kind.upper()} {routine_name(entry)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return _definition(entry).replace("CREATE OR REPLACE", "CREATE", 1)

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        """One routine may replace another with the same result and parameters, if no parameter loses its default
        (PostgreSQL 18, CREATE FUNCTION)."""
        before, after = change.before.attributes, change.after.attributes
        if (
            context.rebuild
            or before[Attribute.SIGNATURE] != after[Attribute.SIGNATURE]
            or int(str(before[Attribute.DEFAULTS])) > int(str(after[Attribute.DEFAULTS]))
        ):
            return None
        return [sql(_definition(change.after))]


def routine_name(entry: CatalogueObject) -> str:
    """`public.slug(text)`."""
    name, _, arguments = entry.name.rpartition("(")
    return f"{quoted(entry.schema, name)}({arguments}"


def _definition(entry: CatalogueObject) -> str:
    return entry.text(Attribute.DEFINITION).rstrip("\n")
