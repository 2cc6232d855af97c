"""What the models leave open: there the answer of the database is as good as any.

- A constraint without a name is called as it is called there.
- `postgresql_not_valid=True` asks for no check of the rows that exist: a constraint that was checked all the same is
  none the worse for it. CREATE TABLE takes no notice of it (PostgreSQL 18, transformCheckConstraints).
- `FetchedValue()` says that the database gives a value, and not how: by a default, an identity, a generated column.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlalchemy import CheckConstraint, Computed, DefaultClause, FetchedValue, ForeignKeyConstraint, MetaData
from sqlalchemy import Identity as SQLIdentity
from sqlalchemy.schema import Constraint

from alembic_online.autogenerate.context import Schema
from alembic_online.autogenerate.inheritance import origin
from alembic_online.autogenerate.model_spelling import formatted_name
from alembic_online.autogenerate.renames import Rename
from alembic_online.autogenerate.unnamed_constraints import with_live_names
from alembic_online.postgres.catalogue import Attribute, Catalogue, CatalogueObject, Identity, Kind

_NOT_VALID = "postgresql_not_valid"
_TYPES = {CheckConstraint: "check", ForeignKeyConstraint: "foreign key"}


def as_live(live: Schema, wanted: Schema, metadata: MetaData, renames: Iterable[Rename] = ()) -> Schema:
    """`wanted`, with what `metadata` leaves open as it is in `live`, where `renames` were carried out."""
    named = with_live_names(live, wanted, metadata, renames)
    return _fetched(live, _unchecked(live, named, metadata), metadata)


def _unchecked(live: Schema, wanted: Schema, metadata: MetaData) -> Schema:
    """Constraints that need not be valid."""
    open_ = set(_need_not_be_valid(wanted, metadata))

    def as_there(entry: CatalogueObject) -> CatalogueObject:
        source = origin(entry, wanted) if entry.kind is Kind.CONSTRAINT else None
        if entry.identity not in open_ and (source is None or source.identity not in open_):
            return entry
        there = live.catalogue.get(entry.identity)
        same = there is not None and there.attributes[Attribute.DEFINITION] == entry.attributes[Attribute.DEFINITION]
        rest = entry.without({Attribute.NOT_VALID})
        unchecked = there.has(Attribute.NOT_VALID) if same and there is not None else entry.parent in live.catalogue
        return replace(rest, attributes={**rest.attributes, Attribute.NOT_VALID: True}) if unchecked else rest

    if not open_:
        return wanted
    return replace(wanted, catalogue=Catalogue(map(as_there, wanted.catalogue.values())))


def _need_not_be_valid(wanted: Schema, metadata: MetaData) -> Iterator[Identity]:
    """The constraints of `wanted` of which the models say so; one without a name is one that no other has named."""
    for table in metadata.tables.values():
        place = Identity(Kind.TABLE, table.schema or wanted.default, "", table.name)
        if place not in wanted.catalogue or _refuses_it(wanted.catalogue[place], wanted):
            continue
        names = {formatted_name(each) for each in table.constraints}
        for constraint in table.constraints:
            if constraint.dialect_kwargs.get(_NOT_VALID):
                for entry in wanted.children(place, Kind.CONSTRAINT):
                    if _may_be(entry, constraint, names):
                        yield entry.identity


def _may_be(entry: CatalogueObject, constraint: Constraint, names: set[str | None]) -> bool:
    name, kind = formatted_name(constraint), _TYPES.get(type(constraint))
    return entry.attributes[Attribute.TYPE] == kind and (
        entry.name == name or (name is None and entry.name not in names)
    )


def _refuses_it(table: CatalogueObject, schema: Schema) -> bool:
    """PostgreSQL up to 17 has no foreign key NOT VALID of a partitioned table."""
    return schema.version < 18 and table.has(Attribute.PARTITIONED_BY)


def _fetched(live: Schema, wanted: Schema, metadata: MetaData) -> Schema:
    """Columns whose value the database gives, in a way that the models do not say."""
    columns = [column for column in _fetched_columns(wanted, metadata) if column in live.catalogue]
    entries, needs = dict(wanted.catalogue), dict(wanted.needs)
    for column in columns:
        there, entry = live.catalogue[column], wanted.catalogue[column]
        rest = {name: value for name, value in entry.attributes.items() if not _gives_value(name)}
        given = {name: value for name, value in there.attributes.items() if _gives_value(name)}
        entries[column] = replace(entry, attributes={**rest, **given})
        needs[column] = needs.get(column, frozenset()) | live.needs.get(column, frozenset())
        for sequence in live.children(column, Kind.SEQUENCE):
            entries[sequence.identity] = sequence
            needs[sequence.identity] = live.needs.get(sequence.identity, frozenset())
    return replace(wanted, catalogue=Catalogue(entries.values()), needs=needs) if columns else wanted


def _gives_value(attribute: Attribute) -> bool:
    return attribute in (Attribute.DEFAULT, Attribute.GENERATED) or attribute.startswith(Attribute.IDENTITY)


def _fetched_columns(wanted: Schema, metadata: MetaData) -> Iterator[Identity]:
    for table in metadata.tables.values():
        for column in table.columns:
            default = column.server_default
            if isinstance(default, FetchedValue) and not isinstance(default, DefaultClause | Computed | SQLIdentity):
                identity = Identity(Kind.COLUMN, table.schema or wanted.default, table.name, column.name)
                if identity in wanted.catalogue:
                    yield identity
