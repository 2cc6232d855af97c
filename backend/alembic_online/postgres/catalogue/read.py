"""Reading a catalogue: one query a family that is there, whatever the number of tables."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.engine import Connection

from alembic_online.postgres.catalogue import (
    columns,
    constraints,
    data_types,
    indexes,
    namespaces,
    operators,
    policies,
    publications,
    routines,
    sequences,
    tables,
    triggers,
)
from alembic_online.postgres.catalogue.attributes import Attribute
from alembic_online.postgres.catalogue.families import RARE, WHICH
from alembic_online.postgres.catalogue.model import Catalogue, CatalogueObject, Identity, Kind, Value
from alembic_online.postgres.catalogue.normal import normal
from alembic_online.postgres.catalogue.session import neutral_session

FAMILIES = (
    namespaces,
    data_types,
    operators,
    routines,
    sequences,
    tables,
    columns,
    constraints,
    indexes,
    policies,
    triggers,
    publications,
)
_FAMILY = "family"
"""The kind of a row that is no object: it names one of `RARE` that is there."""
_SQL = {family: family.SQL for family in FAMILIES} | {
    namespaces: f"{namespaces.SQL} UNION ALL SELECT '{_FAMILY}', '', '', name, NULL, NULL FROM ({WHICH}) AS rare (name)"
}
_QUERIES = {family: text(sql) for family, sql in _SQL.items()}
_IS_PREPARED = "catalogue is prepared"
_ATTRIBUTES = {attribute.value: attribute for attribute in Attribute}
_NAMESPACES = text(namespaces.SQL)


def read_catalogue(
    connection: Connection, *, schemas: Collection[str] | None = None, ignore_tables: Collection[str] = ()
) -> Catalogue:
    """Read the schema of the connection's database as PostgreSQL (16 to 18) prints it.

    `schemas` limits it to the objects of these schemas, and the extensions; by default all but PostgreSQL's own are
    read, with what belongs to no schema. `ignore_tables` names tables (`alembic_version`, or `archive.chapters`) to
    leave out with all that hangs on them. What an extension made is left out; the extension itself is in.

    Works on any driver, in a transaction or in autocommit, read-only too, and takes no lock stronger than ACCESS SHARE.
    Reading starts a transaction on the connection, as any statement does. What another session drops in the middle may
    raise `sqlalchemy.exc.DBAPIError` ("cache lookup failed"): read again.
    """
    scope: dict[str, list[str] | None] = {
        "schemas": None if schemas is None else list(schemas),
        "ignored": list(ignore_tables),
    }
    queries = _prepared(scope) if _IS_PREPARED in connection.info else _QUERIES
    with neutral_session(connection):
        rows = list(connection.execute(queries[namespaces], scope))
        there = {row.name for row in rows if row.kind == _FAMILY}
        found = [row for row in rows if row.kind != _FAMILY]
        for family in FAMILIES[1:]:
            if family not in RARE or family.__name__ in there:
                found += connection.execute(queries[family], scope).fetchall()
        return Catalogue(list(_objects(found)))


def prepare_to_read(connection: Connection) -> None:
    """Have the server plan the queries once, for a session that also changes what they read, and reads it often.

    By PREPARE, which no driver knows of: after an ALTER or a ROLLBACK psycopg forgets what it has prepared itself. To
    forget it says DEALLOCATE ALL: so this is for a connection on which the driver prepares nothing.
    """
    with neutral_session(connection):
        for number, family in enumerate(FAMILIES):
            query = _SQL[family].replace(":schemas", "$1").replace(":ignored", "$2")
            connection.execute(text(f"PREPARE online_catalogue_{number} (text[], text[]) AS {query}"))
    connection.info[_IS_PREPARED] = True


def _prepared(scope: Mapping[str, Sequence[str] | None]) -> dict[ModuleType, TextClause]:
    """EXECUTE takes no parameters of the protocol's: its arguments stand in the text."""
    given = ", ".join(_literal(scope[name]) for name in ("schemas", "ignored"))
    return {family: text(f"EXECUTE online_catalogue_{number} ({given})") for number, family in enumerate(FAMILIES)}


def _literal(names: Sequence[str] | None) -> str:
    if names is None:
        return "NULL"
    quoted = ", ".join("'" + name.replace("'", "''").replace(":", r"\:") + "'" for name in names)
    return f"CAST(ARRAY[{quoted}] AS text[])"


def read_namespaces(connection: Connection) -> Catalogue:
    """The extensions, the schemas and the default privileges alone, read in the same way."""
    with neutral_session(connection):
        rows = connection.execute(_NAMESPACES, {"schemas": None, "ignored": []}).fetchall()
        return Catalogue(list(_objects(rows)))


def _objects(rows: Sequence[Any]) -> Iterator[CatalogueObject]:
    for kind, schema, table, name, parent, attributes in rows:
        yield CatalogueObject(Identity(Kind(kind), schema, table, name), _parent(schema, parent), _stated(attributes))


def _parent(schema: str, parent: Sequence[str] | None) -> Identity | None:
    if parent is None:
        return None
    kind, table, name = parent
    return Identity(Kind(kind), schema, table, name)


def _stated(attributes: str) -> dict[Attribute, Value]:
    stated: dict[Attribute, Value] = {}
    for name, value in json.loads(attributes).items():
        if value is not None and value is not False and value != []:
            if isinstance(value, str):
                value = normal(value)
            stated[_ATTRIBUTES[name]] = tuple(value) if isinstance(value, list) else value
    return stated
