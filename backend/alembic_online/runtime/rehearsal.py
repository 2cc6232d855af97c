"""A run that is only to be looked at: on a scratch database, whose tables count as large as those of the live one.

Whoever rehearses puts a `Rehearsal` into the Config's attributes under `REHEARSAL`, and runs Alembic's command; then
all of the safeguards and online operations do what they would do on the live database.
"""

from traceback import FrameSummary
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from alembic_online.policy import Policy
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.runtime.table_facts import TableFacts

REHEARSAL = "safety.rehearsal"
ROLLED_BACK = "safety.rolled_back"
"""The attribute under which env.py finds a connection to use in the place of its own, in a transaction that whoever put
it there will roll back."""


class NextStatement(NamedTuple):
    """A statement that is about to run."""

    revision: str
    sql: str
    outside: bool
    """Of any transaction of the revision's."""
    line: FrameSummary | None
    """Where the revision says so, if its call there has returned since."""


class Rehearsal(Protocol):
    """Where to run, what to believe, and whom to tell."""

    @property
    def target(self) -> DatabaseURL:
        """The database to run on."""

    @property
    def policy(self) -> Policy:
        """In the place of the project's own."""

    def facts(self, there: TableFacts) -> TableFacts:
        """What the live database's table of this name is like; `there` as it is if that has none."""

    def fills(self, words: str, table: str) -> None:
        """The next statement begins a backfill of the table, and these words say which."""

    def before(self, connection: Connection, coming: NextStatement) -> None:
        """This is about to run."""

    def after(self, connection: Connection) -> None:
        """It has run, and what it locked is locked still, unless it ran outside."""
