"""The chain and the database: do they fit, was something interrupted, is something left unfinished?"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select

from alembic_online.review.doctor.finding import Finding, fine, note, wrong
from alembic_online.review.status import SchemaState, SchemaStatus
from alembic_online.revisions.graph import several_heads
from alembic_online.revisions.head_file import check_head_file
from alembic_online.revisions.project import Project
from alembic_online.runner.postconditions import unfinished
from alembic_online.runtime.bookkeeping import SENDS_NEW_TABLES, standing
from alembic_online.runtime.history import BOOKKEEPING, TABLE, history_table
from alembic_online.runtime.interrupted_revisions import read_half_done
from alembic_online.runtime.pending_detach import pending_detaches
from alembic_online.text import counted

_MEND = "Build the index again (REINDEX INDEX CONCURRENTLY), or VALIDATE the constraint, or drop it."


def chain(project: Project) -> Iterator[Finding]:
    """The revision files, which have been loaded already."""
    if len(project.scripts.get_heads()) > 1:
        error = several_heads(project.scripts)
        yield wrong("chain", error.problem, error.remedy)
        return
    check_head_file(project.scripts)
    count = len(list(project.scripts.walk_revisions()))
    yield fine("chain", f"{counted(count, 'revision')}, head {', '.join(project.scripts.get_heads()) or 'none'}")


def database(connection: Connection, status: SchemaStatus) -> Iterator[Finding]:
    """What its bookkeeping and its catalogue say."""
    if status.state is SchemaState.READY:
        yield fine("database", f"is at head: {', '.join(status.current)}")
    else:
        first, _, rest = status.sentence.partition(". ")
        yield wrong("database", f"{first.rstrip('.')}.", rest or "alembic upgrade head")
    half = read_half_done(connection)
    for stopped in half:
        yield wrong("history", stopped.sentence, "Until then drift shows the half that is there.")
    history = standing(connection, TABLE)
    if not half and history.exists:
        yield from _interrupted(connection.execute(_broken_off(history_table(history.schema))).all())
    for publication in connection.scalars(SENDS_NEW_TABLES, {"schema": history.schema}):
        tables = ", ".join(BOOKKEEPING)
        remedy = f"Have each subscriber make them before a migration writes them (pg_dump --schema-only): {tables}."
        yield note(
            "replication", f"Publication {publication} sends tables that are new, which stop subscribers.", remedy
        )
    for each in pending_detaches(connection):
        yield wrong("database", f"DETACH CONCURRENTLY runs now or was interrupted: {each.words}.", f"{each.finalize};")
    for words in unfinished(connection):
        yield wrong("database", f"It has the {words}.", _MEND)


def _broken_off(history: Table) -> Select[Any]:
    """The newest row, if it did not end well."""
    columns = history.c
    newest = select(func.max(columns.id)).scalar_subquery()
    query = select(columns.revision, columns.direction, columns.step).where(columns.id == newest)
    return query.where(columns.outcome.in_(("running", "stopped", "failed")))


def _interrupted(rows: Sequence[Row[tuple[object, ...]]]) -> Iterator[Finding]:
    for row in rows:
        step = f" at step {row.step}" if row.step else ""
        words = f"The {row.direction} of {row.revision} did not end well{step}, or is running now."
        yield note("history", words, "If nobody runs it: the same command again goes on from there.")
