"""Columns of views: they come and go with the view; what they have of their own is a default, settings, a comment and
privileges."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.column_settings import altered_settings, settings
from alembic_online.autogenerate.writers.privileges import altered_grants, grants
from alembic_online.autogenerate.writers.writer import Writer, comment, comment_on
from alembic_online.postgres.catalogue import Attribute, CatalogueObject


def view_column(entry: CatalogueObject) -> Iterator[MigrateOperation]:
    """The lines after CREATE VIEW that give one of its columns what it has of its own."""
    if entry.has(Attribute.DEFAULT):
        yield _default(entry)
    yield from settings(entry)
    yield from comment(f"COLUMN {_qualified(entry)}", entry)
    yield from grants(_view(entry), entry, f" ({quoted(entry.name)})")


class ViewColumnWriter(Writer):
    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        # Type, collation and the like follow from the view's definition, which is another change.
        lines = [_default(change.after)] if Attribute.DEFAULT in change.attributes else []
        lines += altered_settings(change.before, change.after)
        if Attribute.COMMENT in change.attributes:
            lines.append(comment_on(f"COLUMN {_qualified(change.after)}", change.after))
        return [*lines, *altered_grants(_view(change.after), change, f" ({quoted(change.after.name)})")]


def _default(entry: CatalogueObject) -> MigrateOperation:
    default = entry.attributes.get(Attribute.DEFAULT)
    action = "DROP DEFAULT" if default is None else f"SET DEFAULT {default}"
    view = quoted(entry.schema, entry.identity.table)
    return sql(f"ALTER VIEW {view} ALTER COLUMN {quoted(entry.name)} {action}")


def _view(entry: CatalogueObject) -> str:
    return f"TABLE {quoted(entry.schema, entry.identity.table)}"


def _qualified(entry: CatalogueObject) -> str:
    return quoted(entry.schema, entry.identity.table, entry.name)
