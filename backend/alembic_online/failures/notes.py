"""What is looked up after a failure, while the connection is there: rows in the way, where a type is, limits."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


@contextmanager
def note_causes(connection: Connection) -> Iterator[None]:
    """Add to what the server refuses in the block the lines that help."""
    try:
        yield
    except DBAPIError as error:
        from alembic_online.failures.offending_rows import note_offending_rows  # noqa: PLC0415
        from alembic_online.postgres.dimension_limit import note_dimension_limit  # noqa: PLC0415  only for what goes wrong
        from alembic_online.postgres.missing_types import note_where_it_is  # noqa: PLC0415

        note_offending_rows(error, connection)
        note_where_it_is(error, connection)
        note_dimension_limit(error)
        raise
