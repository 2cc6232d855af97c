"""How a migration is broken off, at a step of its own that is counted.

end, end after     its session is ended on the server, before or after the step
signal             Ctrl-C
blocked            somebody holds a lock on a table, for longer than the budget
kill               its process is killed, with nothing tidied up
twice              a second one is started at once: both are to come to their end
"""

import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event

from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.names import quoted
from alembic_online.testing.crucible.outcome import line

_STEPS = ("CREATE", "ALTER", "DROP", "ANALYZE", "UPDATE", "COMMENT", "INSERT", "DO", "COMMIT")
_NOTHING = "DO $$ BEGIN END $$"  # what runs in the place of a statement that is done
_KINDS = ("end", "end", "end after", "end after", "signal", "blocked", "kill", "twice")


@dataclass(frozen=True)
class Interruption:
    """At the step of this number, from 1 on; `repair` is what somebody does before the next run."""

    kind: str
    at: int
    repair: str = ""


def random_interruptions(seed: str, *, below: bool) -> tuple[Interruption, ...]:
    """None in one of six examples, else up to three, one for each run; `below`: there is a revision to undo."""
    repairs = ("below", "below", "drift", "drop") if below else ("drift", "drop")
    dice = Dice(f"interruptions {seed}")
    if dice.chance(1 / 6):
        return ()
    count = dice.number(1, 3)
    found = (dice.one(enumerate(_KINDS), str)[1] for _ in range(count))
    return tuple(Interruption(kind, _step(dice), dice.one(repairs) if dice.chance(0.25) else "") for kind in found)


def _step(dice: Dice) -> int:
    """The early ones more often: few revisions have many."""
    return dice.number(1, 30) if dice.chance(0.25) else dice.number(1, 6)


class Broken:
    """Carries out one interruption of the run at hand; `table` is one that is used."""

    def __init__(self, interruption: Interruption, url: str, table: str) -> None:
        self._interruption, self._url, self._table = interruption, url, table
        self.steps, self.happened = 0, False
        self._blocker: psycopg.Connection[Any] | None = None

    def before(self, connection: Connection, statement: str) -> None:
        """A statement is about to be run."""
        if "CONCURRENTLY" in statement:
            self.close()  # which waits for every transaction that is older, for as long as that takes
        if not is_step(statement):
            return
        self.steps += 1
        if self.steps == self._interruption.at and self._interruption.kind != "end after":
            self._act(connection, statement)

    def after(self, connection: Connection, statement: str) -> None:
        """It has been run."""
        if is_step(statement) and self.steps == self._interruption.at and self._interruption.kind == "end after":
            self._act(connection, statement)

    def _act(self, connection: Connection, statement: str) -> None:
        self.happened = True
        match self._interruption.kind:
            case "end" | "end after":
                with psycopg.connect(self._url, autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s, 5000)", [_pid(connection)])
            case "signal" if threading.current_thread() is threading.main_thread():
                os.kill(os.getpid(), signal.SIGINT)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "blocked" if "CONCURRENTLY" in statement:
                self.happened = False
            case "blocked":
                self._blocker = psycopg.connect(self._url)
                self._blocker.execute("SET lock_timeout = '20ms'")
                try:
                    self._blocker.execute(f"LOCK TABLE {quoted(self._table)} IN ROW EXCLUSIVE MODE".encode())
                except psycopg.Error:
                    self.happened = False  # it is renamed or locked by now
                    self.close()

    def close(self) -> None:
        """Whoever blocks goes."""
        if self._blocker is not None:
            self._blocker.close()
            self._blocker = None


def _pid(connection: Connection) -> int:
    driver: Any = connection.connection.driver_connection
    return int(driver.get_server_pid() if hasattr(driver, "get_server_pid") else driver.info.backend_pid)


def is_step(statement: str) -> bool:
    """Whether it changes something; that a step is done, is noted, is one too."""
    words = statement.split(maxsplit=1)
    if not words or statement == _NOTHING or words[0].upper() not in _STEPS:
        return False
    bookkeeping = "alembic_" in statement and "SET journal" not in statement
    return not bookkeeping and not any(word in statement for word in ("TEMPORARY", "pg_temp", "online_scratch"))


@contextmanager
def listening(
    before: Callable[[Connection, str], None], after: Callable[[Connection, str], None] | None = None
) -> Iterator[None]:
    """Both are told of every statement of this process."""

    def told_before(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        before(connection, statement)

    def told_after(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if after is not None:
            after(connection, statement)

    event.listen(Engine, "before_cursor_execute", told_before)
    event.listen(Engine, "after_cursor_execute", told_after)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", told_before)
        event.remove(Engine, "after_cursor_execute", told_after)


def forked(work: Callable[[], None], log: Path) -> int:
    """The id of a process of its own that does the work, and ends with 0 where nothing was raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12: of other threads, which hold nothing that the child needs
        child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException as error:
        log.write_text(f"{line(error)}\n{traceback.format_exc()}")
    finally:
        sys.stdout.flush()
        os._exit(code)
