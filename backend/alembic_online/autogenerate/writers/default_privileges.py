"""Default privileges: what a role's new objects are granted. Those of a schema come on top of those of the database."""

from dataclasses import replace

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.writers.privileges import altered_grants
from alembic_online.autogenerate.writers.writer import Writer
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity

# What the owner may do with his own, and what everybody may (PostgreSQL 18, section 5.8, table 5.2).
_OF_THE_OWNER = {
    "tables": ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"),
    "sequences": ("SELECT", "UPDATE", "USAGE"),
    "routines": ("EXECUTE",),
    "types": ("USAGE",),
    "schemas": ("CREATE", "USAGE"),
    "large objects": ("SELECT", "UPDATE"),
}
_OF_EVERYBODY = {"routines": "EXECUTE", "types": "USAGE"}


class DefaultPrivilegesWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return _altered(Change(_without(entry, context.new.version), entry))

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return _altered(Change(entry, _without(entry, context.old.version)))

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        return _altered(change)


def _altered(change: Change) -> list[MigrateOperation]:
    objects, role = _parts(change.identity.name)
    place = f" IN SCHEMA {quoted(change.identity.schema)}" if change.identity.schema else ""
    of_role = f" FOR ROLE {role}" if role else ""
    return altered_grants(objects.upper(), change, start=f"ALTER DEFAULT PRIVILEGES{of_role}{place} ")


def untouched(said: Identity, version: int) -> tuple[str, ...]:
    """What holds before anybody says ALTER DEFAULT PRIVILEGES; for a schema nothing on top of the database's."""
    objects, _ = _parts(said.name)
    if said.schema:
        return ()
    names = (*_OF_THE_OWNER[objects], *(("MAINTAIN",) if objects == "tables" and version >= 17 else ()))
    everybody = (f"{_OF_EVERYBODY[objects]} to PUBLIC",) if objects in _OF_EVERYBODY else ()
    return (*(f"{name} to the owner" for name in names), *everybody)


def _without(entry: CatalogueObject, version: int) -> CatalogueObject:
    return replace(entry, attributes={Attribute.PRIVILEGES: untouched(entry.identity, version)})


def _parts(name: str) -> tuple[str, str]:
    """The kind of the objects, and the role as SQL writes it, empty for the owner of the database."""
    objects, _, role = name.partition(" of ")
    return objects, role
