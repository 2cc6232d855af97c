"""One example is run: by plain Alembic on an idle copy, by the toolkit under load and broken off; then both are held
against each other."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from sqlalchemy import Connection, NullPool, create_engine, event

from alembic_online.postgres.errors import UserError
from alembic_online.sample_rows.row_factory import Filler
from alembic_online.sample_rows.tables import read_tables
from alembic_online.testing.crucible.attempts import Attempts
from alembic_online.testing.crucible.clients import Clients
from alembic_online.testing.crucible.databases import Databases
from alembic_online.testing.crucible.environment import with_driver
from alembic_online.testing.crucible.example import Example
from alembic_online.testing.crucible.models import metadata_of
from alembic_online.testing.crucible.names import quoted
from alembic_online.testing.crucible.outcome import Outcome, line
from alembic_online.testing.crucible.project import BASE, HEAD, STEP, Place
from alembic_online.testing.crucible.rows import fill
from alembic_online.testing.crucible.spellings import spelled
from alembic_online.testing.crucible.state import State, StateReader, differences
from alembic_online.testing.crucible.verdict import client_faults, failed_early, forbidden_by, losses_expected

_POLICY: dict[str, Any] = {
    "lock_timeout": 0.05,
    "total_lock_timeout": 0.4,
    "max_retry_delay_seconds": 0.05,
    "migrator_timeout": 30.0,
    "backfill_pause_ratio": 0.0,
}


@dataclass
class Trial:
    """Of one example, in a folder of its own."""

    example: Example
    databases: Databases
    folder: Path
    outcome: Outcome = field(default_factory=Outcome)

    def run(self) -> Outcome:
        """Everything, until something is wrong."""
        self.place = Place(self.folder, {**_POLICY, "small_table_bytes": self.example.small})
        with self.outcome.timed("preparation"):
            self.plain = self._prepared()
        try:
            self._revision()
            if not self.outcome.refused and not self.outcome.faults:
                self._both_ways()
        finally:
            with self.outcome.timed("preparation"):
                self.databases.drop(self.plain)
        return self.outcome

    def _prepared(self) -> str:
        """A database with the models of before and rows, at the first revision."""
        url = self.databases.make()
        engine = create_engine(with_driver(url, "psycopg"), poolclass=NullPool)
        made: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *given: made.append(given[2]))
        with engine.begin() as connection:
            metadata_of(self.example.before).create_all(connection, checkfirst=False)
        statements = [each for each in made if each.lstrip().startswith(("CREATE", "ALTER", "COMMENT"))]
        stepped = self.example.before.tables[0].name if self.example.below else ""
        self.place.write(statements, stepped)
        if self.example.guessed:
            with engine.begin() as connection:
                _guess_rows(connection)
        with psycopg.connect(url) as session:
            for statement in () if self.example.guessed else fill(self.example.before, self.example.rows):
                session.execute(statement.encode())
            if stepped:
                session.execute(f"ALTER TABLE {quoted(stepped)} ADD COLUMN {STEP} integer".encode())
            session.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
            session.execute("INSERT INTO alembic_version VALUES (%s)", [BASE])
        return url

    def _revision(self) -> None:
        self.place.declare(self.example.after)
        try:
            with self.outcome.timed("autogenerate"):
                if not self.place.autogenerate(self._url(self.plain)):
                    self.outcome.refused = "nothing differs"
                elif self.example.spelling:
                    file = self.place.path(HEAD)
                    models = self.example.models, self.example.after
                    file.write_text(spelled(file.read_text(), self.example.spelling, *models))
        except UserError as error:
            self.outcome.refused = f"autogenerate: {line(error)}"
        except Exception as error:
            self.outcome.faults.append(f"autogenerate crashes: {line(error)}")

    def _url(self, url: str) -> str:
        return with_driver(url, self.example.driver)

    def _both_ways(self) -> None:
        with self.outcome.timed("preparation"):
            live = self.databases.make(self.plain)
            self.read_plain, self.read_live = StateReader(self.plain), StateReader(live)
            before = self.read_plain.read()
        self.attempts = Attempts(self.example, self.place, live, before, self.outcome)
        clients = Clients(live, self.example.models, self.example.writes, self.example.guessed)
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
            self.databases.drop(live)

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
        leaves = "autocommit_block" in self.place.path(HEAD).read_text()
        for words in () if leaves else client_faults(clients, forbidden):
            self.outcome.fault(f"clients{way}", words)
        # Small tables share a transaction as long as nobody is in the way.
        for words in () if self.example.small else clients.beside:
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
                if not self.example.spelling:  # a person may have written something else
                    self._differ("downgrade against the beginning", self.before, found, rows=False)

    def _may_be_refused(self, failed: str) -> bool:
        """A person may write rows where nothing can be carried out without clients; autogenerate may not."""
        return bool(self.example.spelling) and "clients would miss" in failed

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


def _guess_rows(connection: Connection) -> None:
    """Two rows a table, and six more, as the kit guesses them."""
    filler, tables = Filler(), read_tables(connection)
    filler.fill(connection, tables.values())
    for table in tables.values():
        for _ in range(6):
            filler.insert(connection, table, table.columns)
