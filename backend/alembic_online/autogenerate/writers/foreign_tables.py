"""Foreign tables: the rows are elsewhere, so that one may be dropped and made again."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.column_settings import settings
from alembic_online.autogenerate.writers.options import foreign_options, new_foreign_options, options
from alembic_online.autogenerate.writers.privileges import grants
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.autogenerate.writers.writer import comment
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind


class ForeignTableWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"FOREIGN TABLE {quoted(entry.schema, entry.name)}"

    def granted(self, entry: CatalogueObject) -> str:
        return f"TABLE {quoted(entry.schema, entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        columns = ", ".join(map(_column, context.new.children(entry.identity, Kind.COLUMN)))
        server = quoted(entry.text(Attribute.SERVER))
        given = new_foreign_options(options(entry, Attribute.FOREIGN_OPTIONS))
        return f"CREATE {self.target(entry)} ({columns}) SERVER {server}{given}"

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        for column in context.new.children(entry.identity, Kind.COLUMN):
            yield from settings(column)
            yield from comment(f"COLUMN {quoted(entry.schema, entry.name, column.name)}", column)
            yield from grants(self.granted(entry), column, f" ({quoted(column.name)})")

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if change.attributes - {Attribute.FOREIGN_OPTIONS, Attribute.COMMENT, Attribute.PRIVILEGES}:
            return None
        old, new = (options(entry, Attribute.FOREIGN_OPTIONS) for entry in (change.before, change.after))
        return [sql(f"ALTER {self.target(change.after)} {foreign_options(old, new)}")]


def _column(entry: CatalogueObject) -> str:
    """A column as SQL."""
    stated = entry.attributes
    words = [quoted(entry.name), str(stated[Attribute.TYPE])]
    if Attribute.COLLATION in stated:
        words.append(f"COLLATE {stated[Attribute.COLLATION]}")
    if Attribute.NOT_NULL in stated:
        words.append("NOT NULL")
    if Attribute.DEFAULT in stated:
        words.append(f"DEFAULT {stated[Attribute.DEFAULT]}")
    if Attribute.GENERATED in stated:
        words.append(f"GENERATED {stated[Attribute.GENERATED]}")
    return " ".join(words)
