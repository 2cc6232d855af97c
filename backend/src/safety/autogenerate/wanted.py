"""What the models want: built for real in a scratch database, and read as PostgreSQL prints it."""

import logging
import re

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError

from src.postgres.catalogue import CatalogueObject, Kind
from src.postgres.declared import SQLObject, declared
from src.postgres.gathered import gathered
from src.postgres.scratch import Place, in_scratch
from src.postgres.sqlstate import server_message
from src.postgres.url import DatabaseURL
from src.safety.autogenerate.context import Schema, quoted, read_schema
from src.safety.autogenerate.writers.writer import literal
from src.safety.errors import RequestRefused

log = logging.getLogger(__name__)

_CREATE_SCHEMA = re.compile(r"\s*CREATE\s+SCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w+)", re.IGNORECASE)


def build_models(metadata: MetaData, live: Schema, place: Place, target: DatabaseURL, elsewhere: str = "") -> Schema:
    """The schema that `metadata` makes on a server like the one of `live`. Raises `RequestRefused` if it makes none."""

    try:
        return in_scratch(
            target, place, lambda connection: make_models(connection, metadata, live), elsewhere=elsewhere
        )
    except DBAPIError as error:
        raise RequestRefused(
            f"The models cannot be built: {server_message(error)}.",
            "They were tried on an empty scratch database. What they need beside their tables (an extension,\n"
            "a function, a type) is declared with src.postgres.declared.declare(). If the role may not make\n"
            "databases here, MIGRATION_SCRATCH_URL can name a server that has what is missing.",
        ) from error


def make_models(connection: Connection, metadata: MetaData, live: Schema) -> Schema:
    """Make them in an empty database, beside the extensions of `live`, and read what came of it."""
    prepare_like(connection, live)
    fresh = read_schema(connection).catalogue
    for schema in _schemas(metadata):
        _run(connection, f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    with gathered(connection):
        metadata.create_all(connection, checkfirst=False)

    def is_wish(entry: CatalogueObject) -> bool:  # a schema that was there, and is as it was, is none
        return entry.kind is not Kind.SCHEMA or fresh.get(entry.identity) != entry

    return read_schema(connection).only(is_wish)


def prepare_like(connection: Connection, live: Schema) -> None:
    """Install the extensions of `live`, each in its schema: models may use what an administrator has installed.

    Each with its comment, by which a revision may know its own: the copy would differ from the live schema otherwise.
    """
    available = set(connection.scalars(text("SELECT name::text FROM pg_available_extensions")))
    for entry in live.catalogue.values():
        if entry.kind is Kind.EXTENSION and entry.name != "plpgsql" and entry.name in available:
            schema = quoted(str(entry.attributes["schema"]))
            _run(connection, f"CREATE SCHEMA IF NOT EXISTS {schema}")
            _run(connection, f"CREATE EXTENSION IF NOT EXISTS {quoted(entry.name)} SCHEMA {schema} CASCADE")
            _comment_like(connection, entry)


def _comment_like(connection: Connection, extension: CatalogueObject) -> None:
    """One that the template brought belongs to who made that, and only its owner may comment on it."""
    may = text("SELECT pg_has_role(extowner, 'USAGE') FROM pg_extension WHERE extname = :name")
    if connection.scalar(may, {"name": extension.name}):
        comment = extension.attributes.get("comment")
        statement = f"COMMENT ON EXTENSION {quoted(extension.name)} IS {literal(str(comment)) if comment else 'NULL'}"
        _run(connection, statement)


def _run(connection: Connection, statement: str) -> None:
    """As it is written: a percent sign in a name is no parameter."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _schemas(metadata: MetaData) -> list[str]:
    """The schemas that the models name and do not make themselves."""
    made = {match[1] for item in declared(metadata) if isinstance(item, SQLObject) for match in _made(item)}
    named = {table.schema for table in metadata.tables.values()} | {key.schema for key in metadata._sequences.values()}
    return sorted(schema for schema in named if schema and schema not in made)


def _made(item: SQLObject) -> list[re.Match[str]]:
    match = _CREATE_SCHEMA.match(item.sql)
    return [match] if match else []
