"""What a column has that stands in no `sa.Column`: storage, compression, statistics target, options."""

from collections.abc import Iterator, Mapping

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Kind, Value
from src.safety.autogenerate.call import sql
from src.safety.autogenerate.context import quoted
from src.safety.autogenerate.writers.writer import literal

_DEFAULTS = {"storage": "DEFAULT", "compression": "default", "statistics target": "-1"}
_WORDS = {"storage": "STORAGE", "compression": "COMPRESSION", "statistics target": "STATISTICS"}
_ALTER = {Kind.MATERIALIZED_VIEW: "ALTER MATERIALIZED VIEW", Kind.FOREIGN_TABLE: "ALTER FOREIGN TABLE"}
_LOST_WITH_THE_TYPE = ("storage", "compression")

SETTINGS = frozenset({*_DEFAULTS, "options", "foreign options"})
"""The attributes that are written here."""


def settings(entry: CatalogueObject) -> list[MigrateOperation]:
    """The lines that give a new column its settings."""
    return [sql(statement) for statement in _statements(entry, {}, entry.attributes)]


def altered_settings(
    before: CatalogueObject, after: CatalogueObject, *, new_type: bool = False
) -> list[MigrateOperation]:
    """The lines that lead from the settings before to those after. A new type has taken some of them away."""
    old = {name: value for name, value in before.attributes.items() if not (new_type and name in _LOST_WITH_THE_TYPE)}
    return [sql(statement) for statement in _statements(after, old, after.attributes)]


def _statements(entry: CatalogueObject, old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[str]:
    assert entry.parent is not None, "a column has a parent"
    alter = f"{_ALTER.get(entry.parent.kind, 'ALTER TABLE')} {quoted(entry.schema, entry.identity.table)}"
    column = f"ALTER COLUMN {quoted(entry.name)}"
    for name, default in _DEFAULTS.items():
        if old.get(name) != new.get(name):
            yield f"{alter} {column} SET {_WORDS[name]} {new.get(name, default)}"
    was, now = _options(old, "options"), _options(new, "options")
    if changed := {name: value for name, value in now.items() if was.get(name) != value}:
        yield f"{alter} {column} SET ({', '.join(f'{name} = {value}' for name, value in changed.items())})"
    if gone := was.keys() - now.keys():
        yield f"{alter} {column} RESET ({', '.join(sorted(gone))})"
    if words := foreign_options(_options(old, "foreign options"), _options(new, "foreign options")):
        yield f"{alter} {column} {words}"


def foreign_options(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """`OPTIONS (ADD a '1', SET b '2', DROP c)`; empty if nothing changes."""
    words = [f"DROP {quoted(name)}" for name in old if name not in new]
    words += [f"ADD {quoted(name)} {literal(value)}" for name, value in new.items() if name not in old]
    words += [f"SET {quoted(name)} {literal(new[name])}" for name in old if new.get(name, old[name]) != old[name]]
    return f"OPTIONS ({', '.join(words)})" if words else ""


def _options(attributes: Mapping[str, Value], name: str) -> dict[str, str]:
    """`n_distinct=5`, ... by name."""
    items = attributes.get(name, ())
    assert isinstance(items, tuple), "a list in every catalogue"
    return {option: value for option, _, value in (item.partition("=") for item in items)}
