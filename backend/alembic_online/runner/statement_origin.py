"""Whose statement it is that runs on the migration's connection: the revision's, or one of ours."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection


class Whose:
    """What the statements of a block are for."""

    def __init__(self) -> None:
        self._own = False
        self._nobody_reads = False

    @contextmanager
    def command(self) -> Iterator[None]:
        """What runs in the block comes from an operation: a SELECT too is there for its effect, nobody reads it."""
        self._nobody_reads = True
        try:
            yield
        finally:
            self._nobody_reads = False

    @contextmanager
    def ours(self) -> Iterator[None]:
        """What runs in the block is not the revision's."""
        before, self._own = self._own, True
        try:
            yield
        finally:
            self._own = before


def as_read(connection: Connection, sent: str) -> str:
    """The statement as PostgreSQL reads it: psycopg halves what is doubled."""
    return sent.replace("%%", "%") if connection.dialect.paramstyle == "pyformat" else sent


def texts_in(parameters: Any) -> list[str]:
    """The strings among the values of a statement."""
    if isinstance(parameters, str):
        return [parameters]
    found = parameters.values() if isinstance(parameters, Mapping) else parameters
    return [text for each in found for text in texts_in(each)] if isinstance(found, Iterable) else []
