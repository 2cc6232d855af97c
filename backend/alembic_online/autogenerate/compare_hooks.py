"""`compare_type` and `compare_server_default` of `context.configure()`, where a project gives functions for them.

They are asked about what differs, with what Alembic gives them. False means that the two are the same to this project;
None and True leave it to the catalogue, which has seen a difference.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, inspect
from sqlalchemy.schema import DefaultClause

from alembic_online.autogenerate.context import Change, Schema
from alembic_online.autogenerate.include_filters import model_table
from alembic_online.postgres.catalogue import Attribute, Catalogue, CatalogueObject, Kind

_OF_TYPE = frozenset({Attribute.TYPE, Attribute.COLLATION})


@dataclass(frozen=True)
class CompareHooks:
    """The two settings, each a function or a truth value."""

    context: MigrationContext
    metadata: MetaData
    compare_type: Callable[..., bool | None] | bool
    compare_server_default: Callable[..., bool | None] | bool

    @classmethod
    def of(cls, context: MigrationContext, metadata: MetaData) -> "CompareHooks | None":
        """Those of `context.configure()`; None where they say nothing. Defaults are compared unless a function objects:
        False is what Alembic has where nothing is said."""
        types, defaults = (context.opts.get(name) for name in ("compare_type", "compare_server_default"))
        if types is False or callable(types) or callable(defaults):
            return cls(context, metadata, types is None or types, defaults if callable(defaults) else True)
        return None

    def with_the_same(self, live: Schema, wanted: Schema) -> Schema:
        """`wanted`, with the columns' types and defaults of `live` where the project says that they are the same."""
        same = {column.identity: column for column in self._same(live, wanted)}
        if not same:
            return wanted
        entries = (same.get(entry.identity, entry) for entry in wanted.catalogue.values())
        return replace(wanted, catalogue=Catalogue(entries))

    def _same(self, live: Schema, wanted: Schema) -> Iterator[CatalogueObject]:
        for entry in wanted.catalogue.values():
            there = live.catalogue.get(entry.identity)
            if entry.kind is not Kind.COLUMN or there is None:
                continue
            differs = Change(there, entry).attributes & {*_OF_TYPE, Attribute.DEFAULT}
            model = self._model(entry, live.default) if differs else None
            if model is None:
                continue
            if kept := self._kept(there, model, entry.schema) & differs:
                yield entry.like(there, kept)

    def _kept(self, there: CatalogueObject, model: Column[Any], schema: str) -> frozenset[Attribute]:
        """The attributes of which the project says that they do not differ."""
        found = self._inspected(there, schema)
        kept: frozenset[Attribute] = frozenset()
        asked = self.compare_type
        if asked is False or (callable(asked) and asked(self.context, found, model, found.type, model.type) is False):
            kept |= _OF_TYPE
        if callable(self.compare_server_default):
            there_said, said, rendered = found.server_default, model.server_default, self._rendered(model)
            text = str(getattr(there_said, "arg", "")) or None
            if self.compare_server_default(self.context, found, model, text, said, rendered) is False:
                kept |= {Attribute.DEFAULT}
        return kept

    def _rendered(self, model: Column[Any]) -> str | None:
        default = model.server_default
        if not isinstance(default, DefaultClause):
            return None
        if isinstance(default.arg, str):
            return default.arg
        return str(default.arg.compile(dialect=self.context.dialect, compile_kwargs={"literal_binds": True}))

    def _model(self, entry: CatalogueObject, default: str) -> Column[Any] | None:
        table = model_table(self.metadata, entry.schema, entry.identity.table, default)
        return None if table is None else table.columns.get(entry.name)

    def _inspected(self, there: CatalogueObject, schema: str) -> Column[Any]:
        """The column as reflection finds it."""
        assert self.context.connection is not None, "the command needs the database"
        table = Table(there.identity.table, MetaData(), schema=schema)
        inspect(self.context.connection).reflect_table(table, [there.name])
        return table.columns[there.name]
