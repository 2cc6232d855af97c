"""A table joins its parents, by INHERITS or as a partition, or the type that it is made of; and leaves them."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import quoted
from alembic_online.autogenerate.definition_parser import clauses
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

Lines = Iterator[MigrateOperation]


def detach(before: CatalogueObject | None, after: CatalogueObject) -> Lines:
    """Leave every parent that it had."""
    if before is None:
        return
    table = quoted(after.schema, after.name)
    for parent in _inherits(before):
        yield sql(f"ALTER TABLE {table} NO INHERIT {parent}")
    if _keeps_its_type(before, after):
        yield sql(f"ALTER TABLE {table} NOT OF")
    if before.has(Attribute.PARTITION):
        yield sql(f"ALTER TABLE {_partition(before)[0]} DETACH PARTITION {table}")


def attach(before: CatalogueObject | None, after: CatalogueObject) -> Lines:
    """Join every parent that it gets."""
    table = quoted(after.schema, after.name)
    if before is not None and _keeps_its_type(before, after):
        yield sql(f"ALTER TABLE {table} OF {after.attributes[Attribute.OF_TYPE]}")
    for parent in _inherits(after):
        yield sql(f"ALTER TABLE {table} INHERIT {parent}")
    if after.has(Attribute.PARTITION):
        parent, bound = _partition(after)
        yield sql(f"ALTER TABLE {parent} ATTACH PARTITION {table} {bound}")


def _keeps_its_type(before: CatalogueObject, after: CatalogueObject) -> bool:
    """Whether it is made of a type, which changes meanwhile."""
    return before.has(Attribute.OF_TYPE) and before.attributes[Attribute.OF_TYPE] == after.attributes.get(
        Attribute.OF_TYPE
    )


def _inherits(entry: CatalogueObject) -> tuple[str, ...]:
    return entry.items(Attribute.INHERITS)


def _partition(entry: CatalogueObject) -> tuple[str, str]:
    """The parent and the bound of `public.log FOR VALUES IN (1)`."""
    said = entry.text(Attribute.PARTITION)
    parent = clauses(said)[0]
    return parent, said.removeprefix(parent).strip()
