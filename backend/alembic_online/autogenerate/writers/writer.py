"""What every writer offers, and what is the same for all kinds: comments and privileges."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind


class Writer:
    """Writes the lines for one kind of object."""

    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        """Make `entry` of `context.new`, with its comment, its privileges and the children that it `covers`."""
        raise NotImplementedError

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        """Drop `entry` of `context.old`. What depends on it is gone already."""
        raise NotImplementedError

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        """Change it in place; None if it must be dropped and made again, which is right where it holds no data."""
        return None

    def covers(self, parent: CatalogueObject, child: CatalogueObject, context: Context) -> bool:
        """Whether `create(parent)` makes `child` as well, and the child needs no line of its own."""
        return True

    def takes(self, change: Change, context: Context) -> frozenset[Identity]:
        """The other objects that `alter` drops or makes itself, because both must happen in its midst."""
        return frozenset()

    def disturbs(self, change: Change) -> frozenset[str]:
        """The kinds of dependent objects, "generated" columns, and types of constraint ("foreign key"), that are in the
        way of `alter`: they are dropped before it and made again after it."""
        return frozenset()

    def disturbed(self, change: Change, context: Context) -> Iterator[Identity]:
        """The objects of the old schema that are in the way of `alter`."""
        disturbed = self.disturbs(change)
        for dependent in context.old.needed_by.get(change.identity, ()):
            if disturbed & sorts(context.old.catalogue[dependent]):
                yield dependent


def sorts(entry: CatalogueObject) -> set[str]:
    """The words by which `disturbs` names an object."""
    sort = {entry.text(Attribute.TYPE)} if entry.kind is Kind.CONSTRAINT else set()
    return {entry.kind, *sort, *({Attribute.GENERATED} & entry.attributes.keys())}


def comment(target: str, entry: CatalogueObject) -> Iterator[MigrateOperation]:
    """`COMMENT ON ...` if it has one; `target` is `FUNCTION public.slug(text)`."""
    if entry.has(Attribute.COMMENT):
        yield comment_on(target, entry)


def comment_on(target: str, entry: CatalogueObject) -> MigrateOperation:
    """`COMMENT ON target IS ...`, NULL for none."""
    text = entry.attributes.get(Attribute.COMMENT)
    return sql(f"COMMENT ON {target} IS {'NULL' if text is None else literal(str(text))}")


def literal(value: str) -> str:
    """A string of SQL."""
    doubled = value.replace("'", "''")
    return f"E'{doubled.replace(chr(92), chr(92) * 2)}'" if "\\" in value else f"'{doubled}'"
