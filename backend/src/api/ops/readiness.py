"""May requests be sent here? One bounded look at the database, shared by everybody who asks meanwhile."""

import asyncio
import time
from dataclasses import dataclass

from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from alembic_online.postgres.connection.failures import explain_connection
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.errors import ServerUnreachable, UserError
from alembic_online.review.status import SchemaStatus, schema_status
from alembic_online.runtime.active_migration import RunningMigration, running_migration
from alembic_online.runtime.hand_changes import HandChange, changed_by_hand

TIME_LIMIT = 2.0
"""Seconds until a probe is answered, whatever the database does."""
_SCHEMA_SECONDS = 30.0
"""Seconds for which it is known whether the schema was changed by hand: probes come more often than people do that."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look has found: how the database fits the code, who migrates it at the moment, and what nobody did."""

    schema: SchemaStatus
    migration: RunningMigration | None
    changed_by_hand: HandChange | None


class Readiness:
    """Looks at the database when asked, one look at a time."""

    def __init__(self, engine: AsyncEngine, target: DatabaseURL, scripts: ScriptDirectory) -> None:
        self.target = target
        self._engine = engine
        self._scripts = scripts
        self._look: asyncio.Task[Seen | UserError] | None = None
        self._changed: HandChange | None = None
        self._compared = time.monotonic() - _SCHEMA_SECONDS

    async def status(self) -> Seen | UserError:
        """How the database fits the code, or why it cannot be asked; answered within `TIME_LIMIT`."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._bounded_look())
        look = self._look  # somebody else may begin the next one before this answer is read
        # Waited for, not awaited: closing a connection that hangs takes seconds of its own, not the caller's.
        await asyncio.wait({look}, timeout=TIME_LIMIT)
        answered = look.done() and not look.cancelled()
        return look.result() if answered else self._no_answer()

    async def close(self) -> None:
        """End a look that is still under way."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait({self._look})

    async def _bounded_look(self) -> Seen | UserError:
        try:
            async with asyncio.timeout(TIME_LIMIT):
                return await self._read_twice()
        except TimeoutError:
            return self._no_answer()
        except (SQLAlchemyError, OSError) as error:
            return explain_connection(error, self.target)

    async def _read_twice(self) -> Seen:
        """A connection that died while idle may be noticed only at its next use."""
        try:
            return await self._read()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return await self._read()

    async def _read(self) -> Seen:
        async with self._engine.connect() as connection:
            migration = await running_migration(connection)
            status = await schema_status(connection, self._scripts, expand_contract=True)
            if time.monotonic() - self._compared >= _SCHEMA_SECONDS:
                self._changed = await connection.run_sync(changed_by_hand)
                self._compared = time.monotonic()
            return Seen(status, migration, self._changed)

    def _no_answer(self) -> ServerUnreachable:
        return ServerUnreachable(
            f"No answer within {TIME_LIMIT:.0f} s from {self.target.place}.",
            "Check whether the server is overloaded or a firewall swallows the connection.",
        )
