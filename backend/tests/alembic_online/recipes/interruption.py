"""A migration whose session is ended, or whose process is killed, again and again, around every step that it takes."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.errors import UserError
from tests.alembic_online.project import Project
from tests.alembic_online.runner.processes import Migrator

_STEPS = ("CREATE", "ALTER", "DROP", "ANALYZE", "UPDATE", "COMMENT", "INSERT", "DO")
_NOTHING = "DO $$ BEGIN END $$"  # what runs in the place of a statement that is done
_ENOUGH = 60  # runs


class Interruption:
    """Ends the session of the migration after so many steps: at once, or when they are noted and the next begins."""

    def __init__(self, url: str, after: int, *, noted: bool) -> None:
        self._url, self._after, self._noted = url, after, noted
        self.steps = 0

    def before(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if _is_step(statement) and self.steps == self._after and self._noted:
            self._end(connection)

    def after(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if _is_step(statement):
            self.steps += 1
            if self.steps == self._after and not self._noted:
                self._end(connection)

    def _end(self, connection: Connection) -> None:
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        with psycopg.connect(self._url) as other:
            assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


class Death(Interruption):
    """Kills its own process instead: nothing is said to the server, nothing is tidied up."""

    def _end(self, connection: Connection) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def die_as_told() -> None:
    """In the first line of a revision that `run_killed` runs."""
    after, noted = os.environ["DIES"].split()
    death = Death("", int(after), noted=noted == "noted")
    event.listen(Engine, "before_cursor_execute", death.before)
    event.listen(Engine, "after_cursor_execute", death.after)


def _is_step(statement: str) -> bool:
    words = statement.split(maxsplit=2)
    if statement == _NOTHING:
        return False
    return words[0].upper() in _STEPS and not any(word in statement for word in ("alembic", "TEMPORARY", "pg_temp"))


@contextmanager
def listening(interruption: Interruption) -> Iterator[None]:
    event.listen(Engine, "before_cursor_execute", interruption.before)
    event.listen(Engine, "after_cursor_execute", interruption.after)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", interruption.before)
        event.remove(Engine, "after_cursor_execute", interruption.after)


def run_interrupted(project: Project, url: str, *arguments: str, small: str = "0") -> int:
    """Run the command until it comes to its end; returns how often it was interrupted."""
    alembic = project.alembic.having(**{**PATIENT, "MIGRATION_SMALL_TABLE_BYTES": small})
    for tries in count():
        # The third time later and later: what shares a transaction must have got to its end.
        interruption = Interruption(url, (1, 1, 3 + tries // 3)[tries % 3], noted=tries % 3 > 0)
        with listening(interruption):
            try:
                alembic(url, *arguments)
            except (DBAPIError, UserError) as error:
                if tries == _ENOUGH or not interruption.steps:
                    raise AssertionError("it does not get on") from error
            else:
                return tries
    raise AssertionError("count() has no end")


def run_killed(start: Callable[..., Migrator], project: Project, url: str) -> int:
    """Upgrade until it comes to its end; returns how often it was killed."""
    for tries in range(_ENOUGH):
        dies = ("1 unnoted", "1 noted", "3 noted")[tries % 3]
        migrator = start(project, url, "upgrade", "head", **PATIENT, DIES=dies)
        if (code := migrator.exit_code()) == 0:
            return tries
        assert code == -signal.SIGKILL, migrator.output
    raise AssertionError("it does not get on")


PATIENT = {"MIGRATION_SMALL_TABLE_BYTES": "0", "MIGRATION_ALLOW_DATA_LOSS": "true"}
DIRECT = {**PATIENT, "MIGRATION_SMALL_TABLE_BYTES": "1e12"}
