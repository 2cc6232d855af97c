"""Schemas made by SQL and by models, for the tests of what is compared and how it is called."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql

from alembic_online.autogenerate.context import Schema, read_schema
from alembic_online.autogenerate.model_schema import make_models
from alembic_online.postgres import declared

_NAMES: dict[str, Any] = {**vars(postgresql), **vars(sa), **vars(declared), "postgresql": postgresql, "sa": sa}


def models(code: str, **options: Any) -> MetaData:
    """MetaData of lines such as `Table("t", m, Column("a", Text))`."""
    metadata = MetaData(**options)
    exec(code, {**_NAMES, "m": metadata})
    return metadata


def by_sql(connection: Connection, *statements: str) -> Schema:
    """The schema that the statements make, which are undone."""
    with _undone(connection):
        for statement in statements:
            connection.exec_driver_sql(statement)
        return read_schema(connection)


def by_models(connection: Connection, metadata: MetaData, like: Schema | None = None) -> Schema:
    """The schema that the models make beside the extensions of `like`; it is undone."""
    with _undone(connection):
        return make_models(connection, metadata, like or read_schema(connection))


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    with connection.begin_nested() as savepoint:
        yield
        savepoint.rollback()
