"""What SQLAlchemy sends to the server, heard."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def listening(name: str, listener: Callable[..., None]) -> Iterator[None]:
    """`listener` hears this event of every connection while the block runs."""
    event.listen(Engine, name, listener)
    try:
        yield
    finally:
        event.remove(Engine, name, listener)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to the server while the block runs."""
    sent: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    with listening("before_cursor_execute", listen):
        yield sent
