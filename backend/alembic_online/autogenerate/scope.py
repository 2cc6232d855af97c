"""What of the two schemas is ours to compare.

- Schemas: the default one, those that the models name, and those that a revision of ours has made.
- Extensions: those that the models declare, and those that a revision of ours has made; any other may serve others.
  One that a revision makes only IF NOT EXISTS may serve others too, and what nothing in the schema needs may be needed
  by queries: it is not dropped. One that is there in a version that is new enough stays in it, and where it is.
- Partitions that the models do not name belong to whoever makes partitions.
- Privileges, publications, event triggers, servers, casts: as soon as the models have one, all of that kind are theirs;
  while they have none, they are the administrator's.
- So is every kind that SQLAlchemy has no word for (functions, views, triggers, policies, ...), and the properties of
  tables like it, in a project that declares none of them: revisions written by hand have made them, or somebody else.
- What `declare(metadata, LeaveAlone("legacy_*"))` names is left alone.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Attribute, Catalogue, CatalogueObject, Identity, Kind
from alembic_online.postgres.declared import Extension, LeaveAlone, declared, declares_objects, release
from alembic_online.revisions.named_schemas import extensions_of_revisions, schemas_of_revisions

_OF_SQLALCHEMY = frozenset({Kind.EXTENSION, Kind.SCHEMA, Kind.ENUM, Kind.DOMAIN, Kind.SEQUENCE, Kind.TABLE}) | {
    *(Kind.COLUMN, Kind.CONSTRAINT, Kind.INDEX)
}
_WITHOUT_WORDS = (
    Attribute.ROW_SECURITY,
    Attribute.ROW_SECURITY_FORCED,
    Attribute.REPLICA_IDENTITY,
    Attribute.STORAGE,
    Attribute.COMPRESSION,
    Attribute.STATISTICS_TARGET,
)
"""Properties of tables and columns that only ALTER TABLE says."""


def comparable(
    live: Schema,
    wanted: Schema,
    metadata: MetaData,
    scripts: ScriptDirectory,
    *,
    by_models: bool = True,
    helpers: Collection[Identity] = (),
) -> tuple[Schema, Schema]:
    """The two without what is not ours; `wanted` is what the models make, or what the revisions make.

    `helpers` are in it because the models need them, and were taken from the live schema.
    """
    extensions = {item.name: item for item in declared(metadata) if isinstance(item, Extension)}
    made = {name for name, alone in extensions_of_revisions(scripts).items() if alone}
    if by_models:
        wanted = _without_dropped_extensions(wanted, made - set(extensions))
    ours = _ours(wanted, metadata, made if by_models else set(), schemas_of_revisions(scripts), helpers)
    live, wanted = (_parts_too(schema, ours) for schema in (live, wanted))
    wanted = _as_installed(live, wanted, extensions)
    if not any(entry.has(Attribute.PRIVILEGES) for entry in wanted.catalogue.values()):
        live, wanted = (_without(schema, Attribute.PRIVILEGES) for schema in (live, wanted))
    if by_models and not declares_objects(metadata):
        live, wanted = (_without(schema, *_WITHOUT_WORDS) for schema in (live, wanted))
    return live, wanted


def _ours(
    wanted: Schema, metadata: MetaData, extensions: set[str], made_schemas: set[str], helpers: Collection[Identity]
) -> Callable[[CatalogueObject], bool]:
    """Whether an object of either schema is ours, but for what it belongs to."""
    in_models = wanted.catalogue
    schemas = {entry.name if entry.kind is Kind.SCHEMA else entry.schema for entry in in_models.values()}
    schemas |= {wanted.default} | made_schemas
    kinds = {entry.kind for entry in in_models.values()}
    declared_kinds = {entry.kind for entry in in_models.values() if entry.identity not in helpers}
    compared = declared_kinds | (frozenset(Kind) if declares_objects(metadata) else _OF_SQLALCHEMY)
    others = [item for item in declared(metadata) if isinstance(item, LeaveAlone)]

    def ours(entry: CatalogueObject) -> bool:
        kind, schema, table, name = entry.identity
        if any(item.matches(schema, table or name) for item in others):
            return False
        if kind in (Kind.EXTENSION, Kind.SCHEMA):
            made = extensions if kind is Kind.EXTENSION else made_schemas
            return entry.identity in in_models or name in made
        if not schema or kind is Kind.DEFAULT_PRIVILEGES:
            return kind in kinds
        if kind not in compared:
            return entry.identity in in_models
        return schema in schemas and not _unnamed_partition(entry, in_models)

    return ours


def _unnamed_partition(entry: CatalogueObject, in_models: Catalogue) -> bool:
    return entry.kind is Kind.TABLE and entry.has(Attribute.PARTITION) and entry.identity not in in_models


def _parts_too(schema: Schema, ours: Callable[[CatalogueObject], bool]) -> Schema:
    """Without what is not ours and all that hangs on it."""
    others = {entry.identity for entry in schema.catalogue.values() if not ours(entry)}
    if not others:
        return schema
    gone = {identity for identity in schema.catalogue if _hangs_on(schema, identity, others)}
    return schema.only(lambda entry: entry.identity not in gone)


def _hangs_on(schema: Schema, identity: Identity, others: set[Identity]) -> bool:
    return identity in others or any(parent in others for parent in schema.ancestors(identity))


def _without_dropped_extensions(wanted: Schema, undeclared: Iterable[str]) -> Schema:
    """The scratch database has what the live one has: what the models no longer declare, and nothing needs, is gone."""
    names = set(undeclared)

    def stays(entry: CatalogueObject) -> bool:
        needed = any(user in wanted.catalogue for user in wanted.needed_by.get(entry.identity, ()))
        return entry.kind is not Kind.EXTENSION or entry.name not in names or needed

    return wanted.only(stays)


def _as_installed(live: Schema, wanted: Schema, extensions: dict[str, Extension]) -> Schema:
    """An extension that is there counts as it is, unless it is older than the models ask for."""

    def installed(entry: CatalogueObject) -> CatalogueObject:
        there = live.catalogue.get(entry.identity)
        if entry.kind is not Kind.EXTENSION or there is None or _too_old(there, extensions.get(entry.name)):
            return entry
        return there

    return replace(wanted, catalogue=Catalogue(map(installed, wanted.catalogue.values())))


def _too_old(there: CatalogueObject, asked: Extension | None) -> bool:
    if asked is None or asked.minimum_version is None:
        return False
    return release(there.text(Attribute.VERSION)) < release(asked.minimum_version)


def _without(schema: Schema, *attributes: Attribute) -> Schema:
    return replace(schema, catalogue=Catalogue(entry.without(attributes) for entry in schema.catalogue.values()))
