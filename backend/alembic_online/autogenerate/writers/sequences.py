"""Sequences that have a name of their own."""

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.sequence_options import OPTIONS, altered_words, moves, words
from alembic_online.autogenerate.writers.first_privileges import first_grants
from alembic_online.autogenerate.writers.privileges import altered_grants
from alembic_online.autogenerate.writers.writer import Writer, comment, comment_on, literal
from alembic_online.postgres.catalogue import Attribute, CatalogueObject


def owned_by(entry: CatalogueObject) -> MigrateOperation:
    """The line that ties a sequence to its column, or sets it free."""
    return sql(f"ALTER SEQUENCE {_name(entry)} OWNED BY {entry.attributes.get(Attribute.OWNED_BY, 'NONE')}")


class SequenceWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        stated = [name for name in OPTIONS if name in entry.attributes]
        unlogged = "UNLOGGED " if entry.has(Attribute.UNLOGGED) else ""
        type_ = entry.attributes[Attribute.TYPE]
        start = f"CREATE {unlogged}SEQUENCE {_name(entry)}" + ("" if type_ == "bigint" else f" AS {type_}")
        lines: list[MigrateOperation] = [sql(" ".join([start, *words(entry, stated)]))]
        if entry.parent in context.old.catalogue:  # else the column says so, once it is there
            lines.append(owned_by(entry))
        return [*lines, *comment(_target(entry), entry), *first_grants(_target(entry), entry, context)]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"DROP SEQUENCE {_name(entry)}")]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        before, after = change.before, change.after
        changed = [f"AS {after.attributes[Attribute.TYPE]}"] if Attribute.TYPE in change.attributes else []
        changed += altered_words(before, after)
        lines: list[MigrateOperation] = []
        if changed:
            lines += [sql(statement) for statement in moves(before, after, literal(_name(after)))]
            lines.append(sql(f"ALTER SEQUENCE {_name(after)} {' '.join(changed)}"))
        if Attribute.UNLOGGED in change.attributes:
            lines.append(sql(f"ALTER SEQUENCE {_name(after)} SET {'UN' * (after.has(Attribute.UNLOGGED))}LOGGED"))
        if Attribute.OWNED_BY in change.attributes:
            lines.append(owned_by(after))
        if Attribute.COMMENT in change.attributes:
            lines.append(comment_on(_target(after), after))
        return [*lines, *altered_grants(_target(after), change)]


def _name(entry: CatalogueObject) -> str:
    return quoted(entry.schema, entry.name)


def _target(entry: CatalogueObject) -> str:
    return f"SEQUENCE {_name(entry)}"
