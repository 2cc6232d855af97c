"""One example is run: by plain Alembic on an idle copy, by the toolkit under load and broken off; then both are held
against each other."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from alembic import command

from alembic_online.testing.crucible.attempts import Attempts
from alembic_online.testing.crucible.clients import Clients
from alembic_online.testing.crucible.databases import Databases
from alembic_online.testing.crucible.example import Example
from alembic_online.testing.crucible.outcome import Outcome, line
from alembic_online.testing.crucible.preparation import Preparations
from alembic_online.testing.crucible.project import BASE, HEAD
from alembic_online.testing.crucible.spellings import spelled
from alembic_online.testing.crucible.state import State, StateReader, differences
from alembic_online.testing.crucible.verdict import client_faults, failed_early, forbidden_by, losses_expected

_NO_WAY = ("a new table cannot take its place",)
"""What has no online way at all, whoever writes it, and is refused with the reason."""
_REFUSED = (
    "clients would miss",
    "would have that committed before all of its columns",
    "that cannot be in a savepoint",
    "locked since the savepoint has changed it",
)


@dataclass
class Trial:
    """Of one example, in a folder of its own."""

    example: Example
    databases: Databases
    folder: Path
    preparations: Preparations
    outcome: Outcome = field(default_factory=Outcome)

    def run(self) -> Outcome:
        """Everything, until something is wrong."""
        prepared = self.preparations.of(self.example, self.folder, self.outcome)
        self.outcome.refused = prepared.refused
        self.outcome.faults += [prepared.fault] if prepared.fault else []
        if prepared.refused or prepared.fault:
            return self.outcome
        self.place = prepared.put(self.folder)
        self._spell()
        with self.outcome.timed("preparation"):
            self.plain, live = self.databases.make(prepared.template), self.databases.make(prepared.template)
        try:
            self._both_ways(live)
        finally:
            with self.outcome.timed("preparation"):
                self.databases.drop(live)
                self.databases.drop(self.plain)
        return self.outcome

    def _spell(self) -> None:
        if self.example.is_by_hand:
            file = self.place.path(HEAD)
            said = self.example.spelling, self.example.habits, self.example.models, self.example.after
            file.write_text(spelled(file.read_text(), *said))

    def _both_ways(self, live: str) -> None:
        self.read_plain, self.read_live = StateReader(self.plain), StateReader(live)
        with self.outcome.timed("comparison"):
            before = self.read_plain.read()
        self.attempts = Attempts(self.example, self.place, live, before, self.outcome)
        clients = Clients(live, self.example.models, self._may_write, self.example.guessed)
        try:
            # Who undoes the revision below takes away what its code needs.
            failed = self.attempts.migrate("upgrade", None if self.example.below else clients)
            self._judge_upgrade(clients, before, failed)
            clients.close()
            if not (self.outcome.faults or self.outcome.refused):
                self._judge_downgrade(live)
        finally:
            clients.close()
            self.read_plain.close()
            self.read_live.close()

    def _judge_upgrade(self, clients: Clients, before: State, failed: str) -> None:
        with self.outcome.timed("plain"):
            with psycopg.connect(self.plain, autocommit=True) as session:
                for statement in clients.wrote:
                    session.execute(statement.encode())
            self.before = self.read_plain.read() if clients.wrote else before
            plainly = self._plainly(command.upgrade, "head")
        if failed and plainly:
            self.outcome.refused = f"both fail: {failed}"
            for words in client_faults(clients, forbidden_by(self.plain, clients)):
                self.outcome.fault("clients, of a change that fails", words)
            return
        if self._may_be_refused(failed):
            self.outcome.refused = f"refused: {failed}"
            return
        if self.attempts.repairs and "was changed since" in failed:
            self.outcome.refused = f"refused after a repair: {failed} AFTER {self.attempts.repairs}"
            return
        if failed:
            self.outcome.fault("upgrade fails where plain Alembic does not", failed)
            return
        with self.outcome.timed("comparison"):
            self.made = found = self.read_live.read()
        if plainly:
            self.outcome.refused = f"plain Alembic fails: {plainly}"
            return
        with self.outcome.timed("comparison"):
            self.wanted = wanted = self.read_plain.read()
            self._differ("upgrade", wanted, found)
            self._judge_clients("", clients)

    def _judge_clients(self, way: str, clients: Clients) -> None:
        forbidden = forbidden_by(self.plain, clients)
        self.outcome.early |= failed_early(clients, forbidden)
        # Who leaves the transaction himself has his reasons.
        text = self.place.path(HEAD).read_text()
        leaves = "autocommit_block" in text
        for words in () if leaves else client_faults(clients, forbidden):
            self.outcome.fault(f"clients{way}", words)
        # Small tables share a transaction as long as nobody is in the way, and what is in a savepoint cannot go ahead.
        shares = self.example.small or self.example.mixed or re.search("begin_nested|SAVEPOINT", text)
        for words in () if shares else clients.beside:
            self.outcome.fault(f"asked beside a lock{way}", words)

    def _judge_downgrade(self, live: str) -> None:
        with self.outcome.timed("plain"):
            plainly = self._plainly(command.downgrade, BASE)
            undone = None if plainly else self.read_plain.read()
        # The new code goes on meanwhile, with what its models can say.
        clients = Clients(live, self.example.after, writes=False, guessed=True)
        with closing(clients):
            failed = self.attempts.migrate("downgrade", clients)
        asked = self.attempts.asked
        if undone is not None and (asked or not failed):
            expected = losses_expected(self.wanted, undone, self.example.models, self.example.after)
            if bool(asked) != bool(expected) and expected is not None:
                self.outcome.fault("consent", f"asked: {asked or 'nothing'}; lost: {expected or 'nothing'}")
        if self._may_be_refused(failed):
            self.outcome.refused = f"downgrade refused: {failed}"
        elif failed and not plainly:
            self.outcome.fault("downgrade fails where plain Alembic does not", failed)
        elif undone is not None and not failed:
            with self.outcome.timed("comparison"):
                found = self.read_live.read()
                # Values by the place of a row are others where rows stand elsewhere.
                placed = "row_number()" in self.place.path(HEAD).read_text()
                self._differ("downgrade", undone, found, rows=not placed)
                self._judge_clients(" of the downgrade", clients)
                if not self.example.is_by_hand:  # a person may have written something else
                    self._differ("downgrade against the beginning", self.before, found, rows=False)

    @property
    def _may_write(self) -> bool:
        """Whether clients commit rows: they write over what the revision writes, or are written over by it."""
        return self.example.writes and not any(habit.changes_values for habit in self.example.habits)

    def _may_be_refused(self, failed: str) -> bool:
        """A person may write what cannot be carried out without clients; autogenerate may not."""
        known = (*_NO_WAY, *(_REFUSED if self.example.is_by_hand else ()))
        return any(words in failed for words in known)

    def _differ(self, when: str, wanted: State, found: State, *, rows: bool = True) -> None:
        for words in differences(wanted, found):
            if rows or not words.startswith("other rows"):
                self.outcome.fault(when, words)
        if wanted.version != found.version:
            self.outcome.fault(when, f"stamped {found.version} instead of {wanted.version}")

    def _plainly(self, way: Callable[..., None], target: str) -> str:
        try:
            self.place.plainly(self.plain, way, target)
        except Exception as error:
            return line(error)
        return ""
