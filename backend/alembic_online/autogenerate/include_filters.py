"""`include_name` and `include_object` of `context.configure()`: what a project leaves out of the comparison.

They get what Alembic gives them: the model's own object, or one like what reflection finds, of which the filter may ask
name, schema, table, type and `info`.
"""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, MetaData, Table, UniqueConstraint
from sqlalchemy.types import NullType

from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_CONSTRAINTS = {"unique": "unique_constraint", "foreign key": "foreign_key_constraint"}


@dataclass(frozen=True)
class IncludeFilters:
    """The two functions, with the models they speak of; either may be None."""

    include_name: Callable[..., bool] | None
    include_object: Callable[..., bool] | None
    metadata: MetaData
    default: str
    """The schema of names that say none."""

    @classmethod
    def of(cls, options: dict[str, Any], metadata: MetaData, default: str) -> "IncludeFilters | None":
        """Those of `context.configure()`; None where it was given none."""
        given = options.get("include_name"), options.get("include_object")
        return cls(*given, metadata, default) if any(given) else None

    def without_excluded(self, live: Schema, wanted: Schema) -> tuple[Schema, Schema]:
        """The two without what the filters do not want: tables first, for nobody is asked about the parts of others."""
        for tables in (True, False):
            both = {**live.catalogue, **wanted.catalogue}
            asked = {each for each, entry in both.items() if _word(entry) and (entry.kind is Kind.TABLE) is tables}
            if not tables:
                asked = {each for each in asked if both[each].parent in wanted.catalogue}
            named = {each for each in asked & live.catalogue.keys() if not self._is_named(live.catalogue[each])}
            live = without(live, named)
            excluded = {each for each in asked if not self._is_included(each, live, wanted)}
            live, wanted = without(live, excluded), without(wanted, excluded)
        return live, wanted

    def _is_named(self, entry: CatalogueObject) -> bool:
        if self.include_name is None:
            return True
        word = _word(entry)
        schema, table = self._schema(entry.schema), entry.identity.table or entry.name
        parents = {"schema_name": schema, "schema_qualified_table_name": f"{schema}.{table}" if schema else table}
        if word != "table":
            parents["table_name"] = table
        return bool(self.include_name(entry.name, word, parents))

    def _is_included(self, identity: Identity, live: Schema, wanted: Schema) -> bool:
        there = live.catalogue.get(identity)
        entry = wanted.catalogue.get(identity) or there
        if self.include_object is None or entry is None:
            return True
        word = _word(entry)
        mine = self._of_models(entry) if identity in wanted.catalogue else None
        reflected = _reflected(there, self._schema(there.schema)) if there is not None else None
        shown = mine if mine is not None else reflected
        if shown is None:  # the models make it by other means than a table's own: an event, or SQL
            return True
        compared = reflected if mine is not None else None
        return bool(self.include_object(shown, entry.name, word, mine is None, compared))

    def _of_models(self, entry: CatalogueObject) -> Any:
        _, schema, table, name = entry.identity
        found = model_table(self.metadata, schema, table or name, self.default)
        if found is None or not table:
            return found
        if entry.kind is Kind.COLUMN:
            return found.columns.get(name)
        parts: Iterator[Any] = iter(found.indexes if entry.kind is Kind.INDEX else found.constraints)
        return next((each for each in parts if each.name == name), None)

    def _schema(self, schema: str) -> str | None:
        return None if schema == self.default else schema


def model_table(metadata: MetaData, schema: str, name: str, default: str) -> Table | None:
    """The model's table of this name; one without a schema is in the default one."""
    qualified = f"{schema}.{name}"
    in_default = schema == default and qualified not in metadata.tables
    return metadata.tables.get(name if in_default else qualified)


def _word(entry: CatalogueObject) -> str:
    """What Alembic calls it; "" for what it asks no filter about."""
    match entry.kind:
        case Kind.TABLE:
            return "table"
        case Kind.COLUMN | Kind.INDEX if entry.parent is not None and entry.parent.kind is Kind.TABLE:
            return str(entry.kind)
        case Kind.CONSTRAINT:
            return _CONSTRAINTS.get(str(entry.attributes.get(Attribute.TYPE)), "")
    return ""


def _reflected(entry: CatalogueObject, schema: str | None) -> Any:
    """What reflection would find, as far as a filter may ask."""
    table = Table(entry.identity.table or entry.name, MetaData(), schema=schema)
    if entry.kind is Kind.TABLE:
        return table
    column = Column(entry.name if entry.kind is Kind.COLUMN else "column", NullType())
    table.append_column(column)
    match _word(entry):
        case "column":
            return column
        case "index":
            return Index(entry.name, column)
        case "unique_constraint":
            made: Any = UniqueConstraint(column, name=entry.name)
        case _:
            made = ForeignKeyConstraint([column], ["referred.column"], name=entry.name)
    table.append_constraint(made)
    return made


def without(schema: Schema, excluded: Set[Identity]) -> Schema:
    """Without these and all that hangs on them."""
    if excluded.isdisjoint(schema.catalogue.keys()):
        return schema
    return schema.only(lambda entry: excluded.isdisjoint({entry.identity, *schema.ancestors(entry.identity)}))
