"""The extensions of a live database in a scratch database: models may use what an administrator has installed."""

from sqlalchemy import Connection, text

from alembic_online.autogenerate.context import Schema, quoted
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind
from alembic_online.postgres.sql.verbatim import run_as_written


def prepare_like(connection: Connection, live: Schema) -> None:
    """Install the extensions of `live`, each in its schema: models may use what an administrator has installed.

    Each with its comment, by which a revision may know its own: the copy would differ from the live schema otherwise.
    """
    available = set(connection.scalars(text("SELECT name::text FROM pg_available_extensions")))
    for entry in live.catalogue.values():
        if entry.kind is Kind.EXTENSION and entry.name != "plpgsql" and entry.name in available:
            schema = quoted(entry.text(Attribute.SCHEMA))
            run(connection, f"CREATE SCHEMA IF NOT EXISTS {schema}")
            run(connection, f"CREATE EXTENSION IF NOT EXISTS {quoted(entry.name)} SCHEMA {schema} CASCADE")
            _comment_like(connection, entry)


def _comment_like(connection: Connection, extension: CatalogueObject) -> None:
    """One that the template brought belongs to who made that, and only its owner may comment on it."""
    may = text("SELECT pg_has_role(extowner, 'USAGE') FROM pg_extension WHERE extname = :name")
    if connection.scalar(may, {"name": extension.name}):
        comment = extension.attributes.get(Attribute.COMMENT)
        statement = f"COMMENT ON EXTENSION {quoted(extension.name)} IS {literal(str(comment)) if comment else 'NULL'}"
        run(connection, statement)


def run(connection: Connection, statement: str) -> None:
    """As it is written: a percent sign in a name is no parameter."""
    run_as_written(connection, statement)
