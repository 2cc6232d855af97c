"""What a column has that stands in no `sa.Column`: storage, compression, statistics target, options."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.options import foreign_options, options, set_parameters
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind

_DEFAULTS = {Attribute.STORAGE: "DEFAULT", Attribute.COMPRESSION: "default", Attribute.STATISTICS_TARGET: "-1"}
_WORDS = {Attribute.STORAGE: "STORAGE", Attribute.COMPRESSION: "COMPRESSION", Attribute.STATISTICS_TARGET: "STATISTICS"}
_ALTER = {Kind.MATERIALIZED_VIEW: "ALTER MATERIALIZED VIEW", Kind.FOREIGN_TABLE: "ALTER FOREIGN TABLE"}
_LOST_WITH_THE_TYPE = (Attribute.STORAGE, Attribute.COMPRESSION)

SETTINGS = frozenset({*_DEFAULTS, Attribute.OPTIONS, Attribute.FOREIGN_OPTIONS})
"""The attributes that are written here."""


def settings(entry: CatalogueObject) -> list[MigrateOperation]:
    """The lines that give a new column its settings."""
    return list(_lines(entry.without(SETTINGS), entry))


def altered_settings(
    before: CatalogueObject, after: CatalogueObject, *, new_type: bool = False
) -> list[MigrateOperation]:
    """The lines that lead from the settings before to those after. A new type has taken some of them away."""
    return list(_lines(before.without(_LOST_WITH_THE_TYPE) if new_type else before, after))


def _lines(old: CatalogueObject, new: CatalogueObject) -> Iterator[MigrateOperation]:
    assert new.parent is not None, "a column has a parent"
    alter = f"{_ALTER.get(new.parent.kind, 'ALTER TABLE')} {quoted(new.schema, new.identity.table)}"
    column = f"ALTER COLUMN {quoted(new.name)}"
    for name, default in _DEFAULTS.items():
        if old.attributes.get(name) != new.attributes.get(name):
            yield sql(f"{alter} {column} SET {_WORDS[name]} {new.attributes.get(name, default)}")
    yield from set_parameters(f"{alter} {column}", options(old), options(new))
    if words := foreign_options(options(old, Attribute.FOREIGN_OPTIONS), options(new, Attribute.FOREIGN_OPTIONS)):
        yield sql(f"{alter} {column} {words}")
