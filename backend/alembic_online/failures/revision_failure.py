"""A revision that failed: which file and line, what it was doing, to which table, and on which row."""

import linecache
import re
import traceback
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy.exc import StatementError

from alembic_online.errors import RevisionFailed, SafetyError, TableBlocked
from alembic_online.postgres import sqlstate as state
from alembic_online.revisions.faulty_line import FaultyLine, no_value
from alembic_online.revisions.source_line import noted_line
from alembic_online.revisions.squashed import revision_folders
from alembic_online.runner.offline import ScriptConnection, needs_an_answer

_SOURCE_LENGTH = 160
_MISSING = re.compile(r"A value is required for bind parameter '(\w+)'")
# What it says of a row: of a constraint's key, of a CHECK or NOT NULL, of a partition's key.
_ROW = re.compile(r"(?:Partition key of the failing|Failing) row contains |Key \(.*\)=\(", re.DOTALL)
_BLOCKED = {state.LOCK_NOT_AVAILABLE: "lock", state.QUERY_CANCELED: "statement", state.DEADLOCK_DETECTED: "lock"}


def explain_revision_failure(error: Exception, scripts: ScriptDirectory, place: str) -> SafetyError | None:
    """The user's error if `error` comes out of a revision's upgrade() or downgrade(), else None."""
    frame = _frame(error, scripts)
    if frame is None:
        return None
    where = f"{Path(frame.filename).stem}, {frame.name}(), line {frame.lineno}"
    doing = _source(frame)
    if (code := state.sqlstate(error)) in _BLOCKED:
        return _blocked(code, error, where, doing)
    if (fault := _fault(error)) is not None:
        return RevisionFailed(f"Revision {where} {fault.problem}.", f"It was running: {doing}\n{fault.remedy}")
    if code is None:
        problem = f"Revision {where} failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return RevisionFailed(
            problem, f"It was running: {doing}\nCorrect the file; --raiseerr shows the whole traceback."
        )
    return RevisionFailed(
        f"Revision {where} failed: {state.server_message(error)}.",
        "\n".join([f"It was running: {doing}", *_facts(error), _remedy(error, place)]),
    )


def _fault(error: Exception) -> FaultyLine | None:
    """What is known of the line that failed, in the place of a library's words."""
    if isinstance(error, FaultyLine):
        return error
    if ScriptConnection.__name__ in str(error):  # it has no attribute of that name, or cannot be inspected
        return needs_an_answer()
    missing = _MISSING.search(str(error)) if isinstance(error, StatementError) else None
    return no_value(missing[1]) if missing else None


def _frame(error: Exception, scripts: ScriptDirectory) -> traceback.FrameSummary | None:
    if (line := noted_line(error)) is not None:
        return line
    folders = revision_folders(scripts)
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame for frame in reversed(frames) if Path(frame.filename).resolve().parent in folders), None)


def _remedy(error: Exception, place: str) -> str:
    statement = str(getattr(error, "statement", "")).upper()
    if state.sqlstate(error) == state.NOT_NULL_VIOLATION and "ADD COLUMN" in statement:
        return "The table has rows: give the column a server_default, or add it nullable, fill it, then set NOT NULL."
    return f"Correct the data or the file, then run it again ({place})."


def _source(frame: traceback.FrameSummary) -> str:
    """The call that was running, on one line also where the formatter has broken it."""
    first = frame.lineno or 0
    lines = [linecache.getline(frame.filename, line).strip() for line in range(first, (frame.end_lineno or first) + 1)]
    text = " ".join(lines).replace("( ", "(").replace(", )", ")")
    return text if len(text) <= _SOURCE_LENGTH else f"{text[:_SOURCE_LENGTH]}..."


def _facts(error: Exception) -> list[str]:
    """Table and row, as far as the server names them."""
    table, column = state.server_field(error, "table_name"), state.server_field(error, "column_name")
    detail, hint = state.server_field(error, "detail"), state.server_field(error, "hint")
    return [
        *([f"Table: {table}{f', column: {column}' if column else ''}"] if table else []),
        *([f"{'Row' if _ROW.match(detail) else 'Detail'}: {_first_line(detail)}"] if detail else []),
        *([f"Hint: {hint.splitlines()[0]}"] if hint else []),
        *getattr(error, "__notes__", []),
    ]


def _first_line(detail: str) -> str:
    """PostgreSQL lists what depends on what, a line each, hundreds if need be."""
    first, *more = detail.splitlines()
    return f"{first} (and {len(more):,} more)" if more and not _ROW.match(detail) else first


def _blocked(code: str, error: Exception, where: str, doing: str) -> TableBlocked:
    what = {"lock": "a lock was not granted in time", "statement": "a statement took too long"}[_BLOCKED[code]]
    return TableBlocked(
        f"Revision {where} was stopped, {what}: {state.server_message(error)}.",
        f"It was running: {doing}\n"
        "See who is in the way: python -m alembic_online blockers\n"
        "Then run the same command again: it goes on where this one stopped.",
    )
