"""Views and materialized views. Their columns come and go with them."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, Schema, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.options import options, parameters, set_parameters
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.autogenerate.writers.view_columns import view_column
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind

_OF_A_COLUMN = (Attribute.TYPE, Attribute.COLLATION)


class ViewWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"VIEW {quoted(entry.schema, entry.name)}"

    def granted(self, entry: CatalogueObject) -> str:
        return f"TABLE {quoted(entry.schema, entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return f"CREATE {self.target(entry)}{_with(entry)} AS\n{_query(entry)}"

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        for column in context.new.children(entry.identity, Kind.COLUMN):
            yield from view_column(column)

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        """A view may be replaced by one that has columns more at its end (PostgreSQL 18, CREATE VIEW)."""
        before, after = change.before, change.after
        if Attribute.DEFINITION not in change.attributes:
            return list(set_parameters(f"ALTER {self.target(after)}", *map(_options, (before, after))))
        old, new = (_columns(change, schema) for schema in (context.old, context.new))
        if context.rebuild or new[: len(old)] != old:
            return None
        replacing = sql(self.statement(after, context).replace("CREATE", "CREATE OR REPLACE", 1))
        added = context.new.children(change.identity, Kind.COLUMN)[len(old) :]
        return [replacing, *(line for column in added for line in view_column(column))]


class MaterializedViewWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"MATERIALIZED VIEW {quoted(entry.schema, entry.name)}"

    def granted(self, entry: CatalogueObject) -> str:
        return f"TABLE {quoted(entry.schema, entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        method = f" USING {quoted(str(stated[Attribute.ACCESS_METHOD]))}" if Attribute.ACCESS_METHOD in stated else ""
        place = f" TABLESPACE {quoted(str(stated[Attribute.TABLESPACE]))}" if Attribute.TABLESPACE in stated else ""
        empty = "\nWITH NO DATA" if Attribute.UNPOPULATED in stated else ""
        return f"CREATE {self.target(entry)}{method}{_with(entry)}{place} AS\n{_query(entry)}{empty}"

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        for column in context.new.children(entry.identity, Kind.COLUMN):
            yield from view_column(column)

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        alter, attributes = f"ALTER {self.target(change.after)}", change.after.attributes
        if change.attributes & {Attribute.DEFINITION, Attribute.ACCESS_METHOD}:
            return None
        lines = list(set_parameters(alter, _options(change.before), _options(change.after)))
        if Attribute.TABLESPACE in change.attributes:
            lines.append(
                sql(f"{alter} SET TABLESPACE {quoted(str(attributes.get(Attribute.TABLESPACE, 'pg_default')))}")
            )
        if Attribute.UNPOPULATED in change.attributes:
            empty = " WITH NO DATA" if Attribute.UNPOPULATED in attributes else ""
            lines.append(sql(f"REFRESH {self.target(change.after)}{empty}"))
        return lines


def _options(entry: CatalogueObject) -> dict[str, str]:
    return options(entry)


def _with(entry: CatalogueObject) -> str:
    given = _options(entry)
    return f" WITH ({parameters(given)})" if given else ""


def _query(entry: CatalogueObject) -> str:
    return entry.text(Attribute.DEFINITION).rstrip(";")


def _columns(change: Change, schema: Schema) -> list[tuple[object, ...]]:
    columns = schema.children(change.identity, Kind.COLUMN)
    return [(column.name, *map(column.attributes.get, _OF_A_COLUMN)) for column in columns]
