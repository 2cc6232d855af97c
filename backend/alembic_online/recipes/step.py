"""What an online operation consists of: statements, each with what must be known to run it twice, or to show it before.

An operation is carried out as a sequence of `Step` and `Task`. After each one the transaction is committed, so that its
locks last for an instant; what is committed is in the journal, so that a second run goes on after it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from alembic_online.postgres.locks import TableLock, is_patient, needs_autocommit, strong_locks
from alembic_online.recipes.names import verbatim
from alembic_online.recipes.precheck import Obstacle


@dataclass(frozen=True, kw_only=True)
class Step:
    """One statement."""

    sql: str
    """As PostgreSQL reads it: no parameters, and a `%` is a `%`."""
    unless: str = ""
    """A SELECT of one boolean, asked just before: true if the catalogue shows that there is nothing left to do."""
    obstacle: Obstacle | None = None
    """Rows that would make it, or a step after it, fail: looked for before it runs for the first time."""
    says: str = ""
    """What a person should know before it begins."""
    with_next: bool = False
    """It is committed together with the step after it: the two are one change to whoever looks."""
    joins: bool = False
    """It needs no work on rows, and is part of the revision's cut-over where there is one."""
    begins: bool = False
    """It waits for what comes below it, too, as the first of the cut-over."""
    swaps: str = ""
    """The table of which it puts a new column in the place of the old one."""
    column: str = ""
    """That column, without quotes."""
    parts: tuple[str, ...] = ()
    """The partitions and children of that table, which have it too."""
    retypes: str = ""
    """The enum that the column had, where another takes its place."""
    leaves: tuple[str, ...] = ()
    """The types that the columns had which it gives others."""

    @property
    def patient(self) -> bool:
        """It blocks nobody and may take long; it runs outside of any transaction, without a limit for locks."""
        return is_patient(self.sql)

    @property
    def outside(self) -> bool:
        """It runs outside of any transaction."""
        return self.patient or needs_autocommit(self.sql)

    @property
    def locks(self) -> tuple[TableLock, ...]:
        """The relations that it locks so that others may notice."""
        return strong_locks(self.sql)

    def is_done(self, connection: Connection) -> bool:
        """Whether the catalogue shows that nothing is left to do."""
        return bool(self.unless) and bool(connection.execute(verbatim(self.unless)).scalar())


@dataclass(frozen=True, kw_only=True)
class Task:
    """Work that is more than one statement, such as a backfill.

    It begins with nothing locked, makes transactions of its own, and can be interrupted and begun again. When it has
    returned it is recorded, and a second run passes it over.
    """

    words: str
    """What it does, the same in every run: it is known by them."""
    run: Callable[[MigrationContext], None]
    script: Callable[[], Sequence[Step]]
    """What `--sql` writes instead."""


Steps: TypeAlias = Iterator[Step | Task]


@dataclass(frozen=True)
class OnlineChange:
    """The online way of one operation: which table it is about, and its steps, made one after the other."""

    table: str
    """As SQL writes it; for a type, the type."""
    steps: Steps
    needed: bool = False
    """The statement as it stands would fail on a table that has rows."""
    always: bool = False
    """It would fail on any table."""
    after_swap: bool = False
    """It needs a new column in the old one's place."""
    index: str = ""
    """The index that it makes or drops, as SQL writes it."""
    replacing: Steps = field(default_factory=lambda: iter(()))
    """For a new index: the steps if one of its name is there, which the revision has just dropped."""
