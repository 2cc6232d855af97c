"""The writer of what one statement of SQL makes, and Alembic has no word for."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.first_privileges import first_grants
from alembic_online.autogenerate.writers.privileges import altered_grants
from alembic_online.autogenerate.writers.writer import Writer, comment, comment_on
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind

_EVERYWHERE = frozenset({Attribute.COMMENT, Attribute.PRIVILEGES})


class StatementWriter(Writer):
    """Comments and privileges are written here; a kind says what it is called, what makes it, and what changes it."""

    def target(self, entry: CatalogueObject) -> str:
        """As COMMENT and DROP call it: `TRIGGER touch ON public.chapters`."""
        raise NotImplementedError

    def granted(self, entry: CatalogueObject) -> str:
        """As GRANT calls it."""
        return self.target(entry)

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        """What makes it."""
        raise NotImplementedError

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        """The lines after that for what it does not say."""
        return iter(())

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        """Change it in place, but for its comment and privileges; None if it must be rebuilt."""
        return None

    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        lines = [sql(self.statement(entry, context)), *self.finish(entry, context)]
        return [*lines, *comment(self.target(entry), entry), *first_grants(self.granted(entry), entry, context)]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"DROP {self.target(entry)}")]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        lines = self.change(change, context) if change.attributes - _EVERYWHERE else []
        if lines is None:
            return None
        if Attribute.COMMENT in change.attributes:
            lines.append(comment_on(self.target(change.after), change.after))
        return [*lines, *altered_grants(self.granted(change.after), change)]

    def covers(self, parent: CatalogueObject, child: CatalogueObject, context: Context) -> bool:
        return child.kind is Kind.COLUMN
