"""The privileges that an object has as soon as it is made, by ALTER DEFAULT PRIVILEGES of the role that makes it.

PostgreSQL puts what is said for a schema on top of what is said for the database, or of its own default where nothing
is (PostgreSQL 18, `get_user_default_acl` in aclchk.c).
"""

from dataclasses import replace

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context
from alembic_online.autogenerate.writers.default_privileges import untouched
from alembic_online.autogenerate.writers.privileges import altered_grants
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_WORDS = {
    **dict.fromkeys((Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.FOREIGN_TABLE), "tables"),
    **dict.fromkeys((Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE), "routines"),
    **dict.fromkeys((Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE, Kind.BASE_TYPE), "types"),
    Kind.SEQUENCE: "sequences",
    Kind.SCHEMA: "schemas",
}


def first_grants(target: str, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
    """The lines that give a new object its privileges; `target` is `TABLE public.chapters`.

    Raises:
        CannotWrite: a privilege was granted by another than the owner.
    """
    return altered_grants(target, Change(_as_it_comes(entry, context), entry))


def _as_it_comes(entry: CatalogueObject, context: Context) -> CatalogueObject:
    """`entry` with no other privileges than these, told as a catalogue does: by how they depart from the default."""
    if entry.kind not in _WORDS:
        return replace(entry, attributes={})
    everywhere = Identity(Kind.DEFAULT_PRIVILEGES, "", "", _WORDS[entry.kind])
    usual = frozenset(untouched(everywhere, context.new.version))
    given = _said(everywhere, entry, context)
    given = usual if given is None else given
    if entry.schema:
        given |= _said(everywhere._replace(schema=entry.schema), entry, context) or frozenset()
    departure = (given - usual) | {f"no {item}" for item in usual - given}
    return replace(entry, attributes={Attribute.PRIVILEGES: tuple(sorted(departure))})


def _said(identity: Identity, entry: CatalogueObject, context: Context) -> frozenset[str] | None:
    """What holds when the object is made: what is said again is said before, but for schemas; what goes, goes after."""
    places = (context.old, context.new) if entry.kind is Kind.SCHEMA else (context.new, context.old)
    said = next((schema.catalogue[identity] for schema in places if identity in schema.catalogue), None)
    items = None if said is None else said.attributes[Attribute.PRIVILEGES]
    return frozenset(items) if isinstance(items, tuple) else None
