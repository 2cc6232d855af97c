"""`--apply-and-rollback`: the revisions on the database itself, in one transaction that is rolled back.

Their locks are real and are held until the end, so each is asked for with the policy's short limit. Here the stock
operations are carried out directly, for the online way needs transactions of its own; a revision that leaves its
transaction cannot be tried like this.
"""

import asyncio
import io
import re
from functools import partial

from alembic import command
from sqlalchemy import Connection, String, TableClause, column, event, pool, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.errors import RequestRefused
from alembic_online.postgres.abandoned_threads import abandonable
from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.locks import needs_autocommit
from alembic_online.review.plan.rehearsal import Live, is_below
from alembic_online.review.plan.trace import Trace, Traced
from alembic_online.revisions.config_origin import ConfigOrigin
from alembic_online.revisions.project import Project
from alembic_online.runtime.history import BOOKKEEPING
from alembic_online.runtime.owners_session import make_like
from alembic_online.runtime.rehearsal import ROLLED_BACK, NextStatement

_PREPARE = text("SELECT pg_backend_pid() FROM set_config('lock_timeout', :milliseconds, false)")
_TERMINATE = text("SELECT pg_terminate_backend(:pid)")


def apply_and_roll_back(project: Project, live: Live, target: str) -> list[Traced]:
    """Every statement of the way to `target`. Raises `UserError`; nothing is left of it, whatever happens."""
    for half in live.half_done:
        raise RequestRefused(
            f"{half.revision} is half done, and only the run that goes on with it knows what is left of it.",
            "Run plan without --apply-and-rollback: it rehearses the rest on a copy of the schema.",
        )
    trace = Trace(project.target, project.policy, live.tables)

    async def run() -> None:
        engine = async_engine(project.target, application_name="safety plan", poolclass=pool.NullPool)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(make_like, project.session.settings)
                pid = await _prepare(connection, project.policy.lock_timeout)
                with abandonable(partial(_end, project.target, pid)):
                    await connection.run_sync(_run, project, live, target, trace)
        finally:
            await engine.dispose()

    asyncio.run(run())
    return trace.statements


async def _prepare(connection: AsyncConnection, seconds: float) -> int:
    milliseconds = {"milliseconds": str(int(seconds * 1000))}
    pid = await connection.scalar(_PREPARE, milliseconds)
    await connection.commit()
    return int(pid or 0)


async def _end(target: DatabaseURL, pid: int) -> None:
    engine = async_engine(target, application_name="safety plan", poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(_TERMINATE, {"pid": pid})
    finally:
        await engine.dispose()


def _run(connection: Connection, project: Project, live: Live, target: str, trace: Trace) -> None:
    config = ConfigOrigin.of(project.config).config(io.StringIO())
    config.attributes["connection"] = config.attributes[ROLLED_BACK] = connection
    down = is_below(project, live, target, None)
    name, schema = project.stamped
    follow(connection, trace, Stamps(live.heads, table(name, column("version_num", String), schema=schema), down=down))
    with connection.begin() as transaction:
        try:
            way = command.downgrade if down else command.upgrade
            way(config, target)
        finally:
            transaction.rollback()


def follow(connection: Connection, trace: Trace, stamps: "Stamps") -> None:
    """Tell `trace` of each statement of `connection` but Alembic's own and the trace's, and of whose they were."""
    ours = [False]

    def before(_: object, __: object, statement: str, *___: object) -> None:
        if ours[0] or not stamps.is_of_a_revision(statement):
            return
        if needs_autocommit(statement):
            raise RequestRefused(
                f"This cannot be in a transaction, and so not be rolled back: {' '.join(statement.split())[:80]}",
                "Run plan without --apply-and-rollback: it rehearses on a copy of the schema.",
            )
        ours[0] = True
        trace.before(connection, NextStatement("", statement, outside=False, line=None))
        ours[0] = False

    def after(_: object, __: object, statement: str, *___: object) -> None:
        if ours[0]:
            return
        ours[0] = True
        if stamps.has_stamped(statement):
            if revision := stamps.look(connection):
                trace.name(revision)
        else:
            trace.after(connection)
        ours[0] = False

    event.listen(connection, "before_cursor_execute", before)
    event.listen(connection, "after_cursor_execute", after)


class Stamps:
    """Whose the statements were: Alembic writes its table when a revision is done, and tells nobody else."""

    def __init__(self, heads: tuple[str, ...], versions: TableClause, *, down: bool) -> None:
        self._heads, self._versions, self._down = set(heads), versions, down
        self._stamp = re.compile(rf"\s*(INSERT INTO|UPDATE|DELETE FROM) \S*{re.escape(versions.name)}\b")

    def has_stamped(self, statement: str) -> bool:
        """Whether it has written Alembic's table."""
        return bool(self._stamp.match(statement))

    def is_of_a_revision(self, statement: str) -> bool:
        """Whether a revision asks for it, and it does more than to read."""
        reads = statement.lstrip().upper().startswith(("SELECT", "SHOW", "SET"))
        return not reads and not any(each in statement for each in (*BOOKKEEPING, self._versions.name))

    def look(self, connection: Connection) -> str:
        """The revision that came since the last look, or of a downgrade went; "" in the middle of a merge."""
        before, self._heads = (
            self._heads,
            set(connection.scalars(select(column("version_num", String)).select_from(self._versions))),
        )
        return next(iter(before - self._heads if self._down else self._heads - before), "")
