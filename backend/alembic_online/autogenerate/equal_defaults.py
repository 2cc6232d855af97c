"""Defaults that say the same constant in two ways: `0` and `'0'::bigint`. The server is asked whether they are."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.autogenerate.column_types import user_type
from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Attribute, Catalogue, CatalogueObject, Identity, Kind
from alembic_online.postgres.catalogue.session import neutral_session
from alembic_online.postgres.sql.constants import is_constant
from alembic_online.postgres.sql.verbatim import run_as_written

_NULL = "NULL"
_GIVES_VALUE = frozenset({Attribute.IDENTITY, Attribute.GENERATED})


def with_equal_defaults(connection: Connection, schema: Schema, like: Schema) -> Schema:
    """`schema`, with each default in the words of `like` where both are one value of the type that `like` has.

    As text, so that `1.0` and `1.00` of a plain numeric are two: a row would show the difference.
    """
    entries = dict(schema.catalogue)
    for identity, here, there in _unlike(schema, like):
        target = like.catalogue[identity]
        if _are_one(connection, target.text(Attribute.TYPE), here, there):
            entries[identity] = entries[identity].like(target, {Attribute.DEFAULT})
    return replace(schema, catalogue=Catalogue(entries.values()))


def _unlike(schema: Schema, like: Schema) -> Iterator[tuple[Identity, str, str]]:
    """Columns and domains whose defaults are constants in two spellings; none is NULL, but where a domain has one."""
    for identity, entry in schema.catalogue.items():
        other = like.catalogue.get(identity)
        if identity.kind not in (Kind.COLUMN, Kind.DOMAIN) or other is None or not _plain(entry, other):
            continue
        here, there = (each.attributes.get(Attribute.DEFAULT) for each in (entry, other))
        if here == there or (None in (here, there) and _of_a_domain(other, like)):
            continue
        if _other_user_type(entry, schema, other, like):  # it may go, and a default that names it would not let it
            continue
        said = [_NULL if each is None else str(each) for each in (here, there)]
        if all(map(is_constant, said)):
            yield identity, said[0], said[1]


def _other_user_type(here: CatalogueObject, schema: Schema, there: CatalogueObject, like: Schema) -> bool:
    before, after = (entry.text(Attribute.TYPE) for entry in (here, there))
    return before != after and (user_type(before, schema) or user_type(after, like)) is not None


def _plain(*entries: CatalogueObject) -> bool:
    return all(entry.has(Attribute.TYPE) and _GIVES_VALUE.isdisjoint(entry.attributes) for entry in entries)


def _of_a_domain(entry: CatalogueObject, schema: Schema) -> bool:
    return any(needed.kind is Kind.DOMAIN for needed in schema.needs.get(entry.identity, ()))


def _are_one(connection: Connection, type_: str, here: str, there: str) -> bool:
    """Whether the server finds them equal; not where it cannot make such a value."""
    values = " IS NOT DISTINCT FROM ".join(f"(({expression})::{type_})::text" for expression in (here, there))
    try:
        with neutral_session(connection):
            asked = run_as_written(connection, f"SELECT {values}")
            return bool(asked.scalar())
    except DBAPIError:
        return False
