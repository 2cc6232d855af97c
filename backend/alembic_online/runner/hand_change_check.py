"""Before a run: was the schema changed by hand? After it: what it has left, for the next run to compare with."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.alembic_seam import version_table
from alembic_online.errors import DatabaseMismatch
from alembic_online.policy import Policy
from alembic_online.postgres.catalogue import Kind
from alembic_online.postgres.catalogue.fingerprint import Scope
from alembic_online.postgres.declared import Extension, LeaveAlone, declared, declares_objects, one_metadata
from alembic_online.revisions.named_schemas import extensions_of_revisions, schemas_of_project
from alembic_online.runtime.control_connection import Asking
from alembic_online.runtime.hand_changes import (
    HandChange,
    Last,
    Recorded,
    changed_by_hand,
    changed_kinds,
    changed_since,
    last_step,
    of_declared,
    take,
)
from alembic_online.runtime.history import BOOKKEEPING, History

log = logging.getLogger("alembic.runtime.migration")

_INTERVAL = 2.0  # seconds between two fingerprints of a run: of a thousand tables one takes a fifth of a second


@dataclass
class HandChangeCheck:
    """Of one run. `begin` looks beside what else is done; `settle` of the history waits for it."""

    context: MigrationContext
    asking: Asking
    history: History
    policy: Policy
    stamping: bool = False
    reason: str = ""
    """Why a stamp is true that nobody has compared."""
    _found: HandChange | None = None
    _last: Last | None = None
    _scope: Scope | None = None
    _stepped: bool = False
    _since: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Look for what differs."""
        self.asking.send(self._look)

    async def _look(self, connection: AsyncConnection) -> None:
        await connection.run_sync(self._read)

    def _read(self, connection: Connection) -> None:
        schema = self.context.version_table_schema
        self._last = last_step(connection, self.history.table.schema or "public")
        if self.policy.changed_by_hand != "ignore":
            narrow = partial(narrowed, self.context)
            self._found = changed_since(self._last, connection, schema, narrow)

    def before_steps(self) -> None:
        """Say what was found, as the policy has it. Raises `DatabaseMismatch`."""
        if self._found is None or self.stamping:
            return
        if self.policy.changed_by_hand == "error":
            raise DatabaseMismatch(self._found.sentence, self._found.remedy)
        log.warning("%s See: alembic-online drift", self._found.sentence)

    def after_step(self) -> None:
        """A step is committed, and more may come."""
        self._stepped = True
        if not self.stamping and time.monotonic() - self._since >= _INTERVAL:
            self._keep()

    def end(self) -> None:
        """The run is over. Where it did nothing, only what the project leaves alone may be otherwise."""
        if self.stamping:
            self.history.note_stamp(self.asking.ask(self._heads), self.policy.application_version, self.reason)
        if self.stamping or self._stepped or (self._found is not None and self.asking.ask(self._is_narrower)):
            self._keep()

    async def _heads(self, connection: AsyncConnection) -> Sequence[str]:
        return (await connection.scalars(select(version_table(self.context).c.version_num))).all()

    async def _is_narrower(self, connection: AsyncConnection) -> bool:
        before = self._last.recorded.scope if self._last and self._last.recorded else None
        return before is not None and before != await connection.run_sync(partial(narrowed, self.context), before)

    def _keep(self) -> None:
        recorded = self.asking.ask(self._take)
        if recorded is not None:
            self.history.keep_fingerprint(recorded.as_json())
        self._stepped, self._since = False, time.monotonic()

    async def _take(self, connection: AsyncConnection) -> Recorded | None:
        return await connection.run_sync(self._taken)

    def _taken(self, connection: Connection) -> Recorded | None:
        if self._scope is None:
            self._scope = scope_of(self.context, connection)
        recorded = take(connection, self._scope)
        if recorded is None:
            return None
        before = self._last.recorded if self._last else None
        ours = {*before.ours} if before else set()
        if before is not None and before.server == recorded.server:
            ours |= changed_kinds(before.kinds, recorded.kinds)
        elif self._last is None:  # the first run of all: what is there, its revisions have made
            ours |= recorded.kinds.keys()
        if declares_objects(one_metadata(self.context.opts.get("target_metadata"))):
            ours |= of_declared(recorded.kinds)
        return replace(recorded, ours=tuple(sorted(ours)))


def warn_of_hand_changes(context: MigrationContext) -> None:
    """For a command that changes nothing: say it of the connection's database, whatever the policy is."""
    connection = context.connection
    assert connection is not None, "the command reads the database"
    narrow = partial(narrowed, context)
    found = changed_by_hand(connection, context.version_table_schema, narrow)
    if found is not None:
        log.warning("%s See: alembic-online drift", found.sentence)


def scope_of(context: MigrationContext, connection: Connection) -> Scope:
    """What of the database is the project's, as far as it can be said without running its revisions."""
    metadata, scripts = one_metadata(context.opts.get("target_metadata")), context.script
    assert scripts is not None, "Alembic gives every environment its script directory"
    default = connection.exec_driver_sql("SELECT current_schema()").scalar()
    extensions = {item.name for item in declared(metadata) if isinstance(item, Extension)}
    scope = Scope(
        tuple(sorted({str(default or "public"), *schemas_of_project(metadata, scripts)})),
        ignored=(*BOOKKEEPING, context.version_table),
        extensions=tuple(sorted({*extensions, *extensions_of_revisions(scripts)})),
    )
    return narrowed(context, connection, scope)


def narrowed(context: MigrationContext, connection: Connection, scope: Scope) -> Scope:
    """Without what the project leaves alone: by `LeaveAlone`, and by its `include_name` and `include_object`."""
    metadata = one_metadata(context.opts.get("target_metadata"))
    patterns = {item.pattern for item in declared(metadata) if isinstance(item, LeaveAlone)}
    others = _excluded(context, metadata, connection)
    return replace(
        scope,
        ignored=(*scope.ignored, *sorted({*others} - {*scope.ignored})),
        left_alone=tuple(sorted({*scope.left_alone, *patterns})),
    )


def _excluded(context: MigrationContext, metadata: MetaData, connection: Connection) -> Iterator[str]:
    if not any(context.opts.get(name) for name in ("include_name", "include_object")):
        return
    # Imported late: only who has filters pays for it.
    from alembic_online.autogenerate.context import read_schema  # noqa: PLC0415
    from alembic_online.autogenerate.include_filters import IncludeFilters  # noqa: PLC0415

    live = read_schema(connection)
    filters = IncludeFilters.of(context.opts, metadata, live.default)
    assert filters is not None, "there are some"
    left, _ = filters.without_excluded(live, live.only(lambda _: False))
    for entry in live.catalogue.values():
        if entry.kind is Kind.TABLE and entry.identity not in left.catalogue:
            yield f"{entry.schema}.{entry.name}"
