"""A migration that is broken off as an example says, and run again until it comes to its end."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.errors import DataLoss, Stopped
from alembic_online.postgres.errors import UserError
from alembic_online.testing.crucible.clients import Clients
from alembic_online.testing.crucible.environment import with_driver
from alembic_online.testing.crucible.example import Example
from alembic_online.testing.crucible.interruptions import Broken, Interruption, forked, listening
from alembic_online.testing.crucible.outcome import Outcome, line
from alembic_online.testing.crucible.project import Place
from alembic_online.testing.crucible.repairs import repair
from alembic_online.testing.crucible.state import State

PATIENT = {"total_lock_timeout": 20.0}
"""For who is to come to an end."""
REFUSALS = (UserError, DBAPIError)
_NEVER = Interruption("", 0)
_TERMINATED = 143


@dataclass
class Attempts:
    """On the database of `live`, which was as it is `before`; `clients` go on meanwhile."""

    example: Example
    place: Place
    live: str
    before: State
    outcome: Outcome
    repairs: list[str] = field(default_factory=list)
    """What was done by hand in between."""
    second: str = ""
    """Why the second of two did not come to its end."""
    asked: str = ""
    """What the downgrade says is lost, where it asks; from then on it has consent."""

    def migrate(self, way: str, clients: Clients | None) -> str:
        """Up or down; why it does not come to its end, or nothing."""
        for interruption in self.example.interruptions:
            failed, broken_off = self._with_consent(way, clients, interruption)
            self.outcome.interrupted += broken_off
            if self.outcome.faults or not (failed and broken_off):
                return failed
            if interruption.repair and way == "upgrade":
                self._repair(interruption)
                clients = None  # what is dropped by hand is missed by whoever needs it, and that is not ours
        return self._with_consent(way, clients, _NEVER)[0]

    def _with_consent(self, way: str, clients: Clients | None, interruption: Interruption) -> tuple[str, bool]:
        """A downgrade begins without any; where it asks, it is run again with it."""
        found = self._once(way, clients, interruption)
        if way == "downgrade" and not self.asked and (words := _asks(found[0]) or _asks(self.second)):
            self.asked, self.second = words, ""
            return self._once(way, clients, interruption)
        return found

    def _repair(self, interruption: Interruption) -> None:
        try:
            with self.outcome.timed("repair"):
                done = repair(interruption.repair, self.place, self.live, self.before, self.example.seed)
        except Exception as error:
            self.outcome.fault(f"the repair {interruption.repair} fails", line(error))
            return
        self.repairs.append(f"{interruption.repair}: {done}")

    def _once(self, way: str, clients: Clients | None, interruption: Interruption) -> tuple[str, bool]:
        """Why it failed, and whether it was broken off."""
        broken = Broken(interruption, self.live, self.example.before.tables[0].name)
        run = {"upgrade": self.place.upgrade, "downgrade": self.place.downgrade}[way]
        url = with_driver(self.live, self.example.driver)
        if clients is not None:
            clients.begin(alone=interruption.kind != "twice")
        policy: dict[str, Any] = {"allow_data_loss": "true" if self.asked else ""}
        if interruption.kind in ("", "twice"):
            policy.update(PATIENT)

        def work() -> None:
            run(url, **policy)

        if interruption.kind == "kill":
            return self._killed(work, broken, clients)
        child = forked(work, self._log) if interruption.kind == "twice" else 0
        try:
            with self.outcome.timed(way), listening(_looking(broken, clients, self.outcome), broken.after):
                work()
        except REFUSALS as error:
            if isinstance(error, Stopped) and error.exit_code == _TERMINATED:
                sys.exit(_TERMINATED)  # somebody stops the crucible itself
            return line(error), broken.happened
        except KeyboardInterrupt:
            return "KeyboardInterrupt", True
        except Exception as error:
            self.outcome.fault(f"{way} crashes", line(error))
            return line(error), broken.happened
        finally:
            broken.close()
            if child and os.waitpid(child, 0)[1]:
                self.second = self._last_words()
        if clients is not None:
            clients.look("")
        if child and self.second and not _asks(self.second):
            self.outcome.fault(f"of two at once the second {way} fails", self.second)
        return "", bool(child)

    def _killed(self, work: Callable[[], None], broken: Broken, clients: Clients | None) -> tuple[str, bool]:
        def doomed() -> None:
            with listening(broken.before, broken.after):
                work()

        child = forked(doomed, self._log)
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            if clients is not None:
                clients.look("DO")
            time.sleep(0.002)
        if os.WIFSIGNALED(ended[1]):
            return "killed", True
        if clients is not None and not ended[1]:
            clients.look("")
        return (self._last_words() if ended[1] else ""), False

    @property
    def _log(self) -> Path:
        return self.place.folder / "child.log"

    def _last_words(self) -> str:
        return self._log.read_text().splitlines()[0] if self._log.exists() else "it said nothing"


def _asks(words: str) -> str:
    return words if words.startswith(DataLoss.__name__) else ""


def _looking(broken: Broken, clients: Clients | None, outcome: Outcome) -> Callable[[Connection, str], None]:
    def before(connection: Connection, statement: str) -> None:
        if clients is not None:
            with outcome.timed("clients"):
                clients.look(statement)
        broken.before(connection, statement)

    return before
