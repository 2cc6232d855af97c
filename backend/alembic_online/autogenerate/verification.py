"""A revision is tried before it is written: on a copy of the live schema in a scratch database, up and down.

The copy is made by the same plan that writes revisions, from nothing to the live schema; renames are carried out on it,
so that PostgreSQL itself says what every definition is called afterwards.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from alembic.operations import MigrateOperation
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from alembic_online.autogenerate.context import Context, Schema, quoted, read_schema
from alembic_online.autogenerate.derived_names import following
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.difference_report import announcement
from alembic_online.autogenerate.equal_defaults import with_equal_defaults
from alembic_online.autogenerate.existing_rows import called_now
from alembic_online.autogenerate.name_only_renames import by_definition
from alembic_online.autogenerate.op_rendering import Code
from alembic_online.autogenerate.rename_questions import Doubt, doubts, resolve
from alembic_online.autogenerate.renames import Rename, hinted, merged_labels
from alembic_online.autogenerate.schema_copy import copy_schema, run_lines
from alembic_online.autogenerate.search_path_names import ShortNames, written_with
from alembic_online.autogenerate.unspecified_options import as_live
from alembic_online.autogenerate.verification_with_rows import WithRows, changed_tables, rows_in, with_rows
from alembic_online.errors import RequestRefused
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Difference, Identity, Kind, compare, describe
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.sqlstate import server_message

log = logging.getLogger(__name__)

Find = Callable[[Schema, list[Rename]], list[Rename]]
"""What is to be renamed in a schema, after what was renamed before."""


@dataclass
class Trial:
    """What will stand in the file, and what of it did not do what it should."""

    up: list[MigrateOperation] = field(default_factory=list)
    down: list[MigrateOperation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    leaves: list[str] = field(default_factory=list)
    """The constraints, as SQL writes their names, that it makes NOT VALID because the models or the database say so."""
    with_rows: list[str] = field(default_factory=list)
    """Why it fails on any tables that have rows."""
    failure: str = ""
    """The first line that could not run, and why."""
    renames: list[Rename] = field(default_factory=list)
    """What gets another name, and was decided by a hint or on a terminal."""


@dataclass(frozen=True)
class Task:
    """From where to where; `scope` leaves out of a schema what is not ours."""

    whole: Schema
    """The live schema with what is not ours: ours may need it."""
    live: Schema
    wanted: Schema
    models: MetaData
    scope: Callable[[Schema], Schema]
    revisions: str = ""
    """The text of the revision files."""
    in_full: bool = False
    """Whether names of the default schema are written in full."""
    rebuild: bool = False
    """Whether functions and views are rebuilt, rather than replaced."""
    hold_null: frozenset[Identity] = frozenset()
    """Columns of the live schema that may become NOT NULL, and of which rows hold NULL."""
    own_type: Callable[[CatalogueObject], Code | None] | None = None
    """How the project itself writes the type of a column."""
    answers: dict[tuple[Doubt, ...], list[Rename]] = field(default_factory=dict)
    """What was asked before, and what the answer was."""

    @property
    def has_hints(self) -> bool:
        """Whether the models say of something that it is called otherwise now. Raises `RequestRefused`."""
        return next(hinted(self.live, self.wanted, self.models, self.revisions), None) is not None

    def announce(self, connection: Connection) -> list[Difference]:
        """What the hints rename, and what differs then; on a connection in autocommit to an empty database."""
        try:
            copy_schema(connection, self.whole, self.live.catalogue)
        except (DBAPIError, UserError):
            return announcement(
                connection, [], self.live, self.wanted, self.models
            )  # the trial will say that it cannot be copied
        renames, state = self._carry_out(connection, self._hinted, self._read(connection), [])
        return announcement(connection, renames, state, self.wanted, self.models)

    def run(self, connection: Connection) -> Trial:
        """Plan the revision and try it, on a connection in autocommit to an empty database.

        Raises `RequestRefused` for a rename that nobody has decided.
        """
        try:
            copy_schema(connection, self.whole, self.live.catalogue)
        except (DBAPIError, UserError) as error:
            return self._untried(_reason(error))
        with written_with(ShortNames.of(connection, self.live.default, in_full=self.in_full)):
            return self._try(connection)

    def _try(self, connection: Connection) -> Trial:
        renames, renamed = self._rename(connection)
        wanted = as_live(renamed, self.wanted, self.models)
        before, after = (
            with_equal_defaults(connection, schema, like) for schema, like in ((renamed, wanted), (wanted, renamed))
        )
        nulls = called_now(self.hold_null, renamed, _before(renames))
        up = plan(Context(before, wanted, self.models, nulls, self.rebuild, self._merged, own_type=self.own_type))
        down = plan(Context(after, renamed, rebuild=self.rebuild, merged=self._merged))
        trial = Trial(
            up=[*(line for rename in renames for line in rename.up), *up],
            down=[*down, *(line for rename in reversed(renames) for line in rename.down)],
            renames=renames,
        )
        trial.leaves = constraints_left_open(renamed, wanted)
        for direction, lines, goal in (("upgrade", up, wanted), ("downgrade", trial.down, self.live)):
            try:
                run_lines(connection, lines)
            except DBAPIError as error:
                trial.failure = f"the {direction} fails: {_reason(error)}"
                break
            trial.problems = self._left(connection, goal, direction)
            if trial.problems:
                break
        if not trial.failure and not trial.problems:
            self._with_rows(connection, trial, renamed, wanted)
        return trial

    def _with_rows(self, connection: Connection, trial: Trial, renamed: Schema, wanted: Schema) -> None:
        """Try it again, with rows: the schema is the live one by now."""
        if not changed_tables(self.live, wanted):
            return
        try:
            with rows_in(connection, self.live, wanted):
                up = with_rows(connection, trial.up, renamed, wanted)
                down = with_rows(connection, trial.down, wanted, renamed) if up.went_through else WithRows(trial.down)
        except DBAPIError as error:
            log.info("The revision was not tried with rows: %s", _reason(error))
            return
        trial.up, trial.down = up.lines, down.lines
        found = (("upgrade", up), ("downgrade", down))
        trial.with_rows = [f"the {name} fails: {each.failure}" for name, each in found if each.failure]

    def _untried(self, reason: str) -> Trial:
        if self.has_hints or self._doubts(self.live, []):
            raise RequestRefused(
                f"A rename cannot be written, for this schema could not be copied: {reason}.",
                "Write the renames by hand in a revision of their own, then run this again.",
            )
        to = Context(self.live, self.wanted, self.models, self.hold_null, merged=self._merged, own_type=self.own_type)
        up = plan(to)
        down = plan(Context(self.wanted, self.live, merged=self._merged))
        return Trial(up, down, [f"not tried, for the schema could not be copied: {reason}"])

    def _rename(self, connection: Connection) -> tuple[list[Rename], Schema]:
        """Carry out the renames on the copy, step by step: each step sees what the one before has made of the names."""
        done: list[Rename] = []
        state = self._read(connection)
        for find in (self._hinted, self._asked, self._same):
            found, state = self._carry_out(connection, find, state, done)
            done += found
        return done, state

    def _carry_out(
        self, connection: Connection, find: Find, state: Schema, done: list[Rename]
    ) -> tuple[list[Rename], Schema]:
        found = find(state, done)
        for rename in found:
            run_lines(connection, rename.up)
        return found, self._read(connection) if found else state

    def _hinted(self, state: Schema, _: list[Rename]) -> list[Rename]:
        return list(hinted(state, self.wanted, self.models, self.revisions))

    def _asked(self, state: Schema, done: list[Rename]) -> list[Rename]:
        found = self._doubts(state, done)
        if tuple(found) not in self.answers:
            self.answers[tuple(found)] = resolve(found, self.wanted.default)
        return self.answers[tuple(found)]

    def _doubts(self, state: Schema, done: list[Rename]) -> list[Doubt]:
        return list(doubts(state, self.wanted, self.models, done))

    def _same(self, state: Schema, done: list[Rename]) -> list[Rename]:
        wanted = as_live(state, self.wanted, self.models, done)
        return [*by_definition(state, wanted), *following(state, wanted, done)]

    @property
    def _merged(self) -> dict[Identity, dict[str, str]]:
        return merged_labels(self.models, self.wanted.default)

    def _read(self, connection: Connection) -> Schema:
        return self.scope(read_schema(connection))

    def _left(self, connection: Connection, goal: Schema, direction: str) -> list[str]:
        found = self._read(connection)
        left = compare(goal.catalogue, with_equal_defaults(connection, found, goal).catalogue)
        return [f"after the {direction} still differs: {line}" for line in describe(left).splitlines()]


def _before(renames: Iterable[Rename]) -> dict[Identity, Identity]:
    """What is renamed, by the last name that it gets: what it was called at first."""
    was: dict[Identity, Identity] = {}
    for rename in renames:
        was[rename.new] = was.pop(rename.old, rename.old)
    return was


def constraints_left_open(before: Schema, after: Schema) -> list[str]:
    """Those that are NOT VALID on one side, as the models say: the end state would not be accepted without a word."""
    return sorted(_not_valid(before) ^ _not_valid(after))


def _not_valid(schema: Schema) -> set[str]:
    constraints = (entry for entry in schema.catalogue.values() if entry.kind is Kind.CONSTRAINT)
    return {quoted(entry.name) for entry in constraints if entry.has(Attribute.NOT_VALID)}


def _reason(error: Exception) -> str:
    return server_message(error) if isinstance(error, DBAPIError) else str(error).splitlines()[0]
