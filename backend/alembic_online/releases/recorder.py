"""Which statements a process makes, by SQLAlchemy's events: what its engines send, whichever the driver.

What a driver is given beside SQLAlchemy is not seen, nor COPY. Migrations are left out, for they are no release's.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import Any

import alembic
import greenlet  # type: ignore[import-untyped]  # which comes with SQLAlchemy's asyncio
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import ExecutionContext

from alembic_online.postgres.connection.sync_facade import AnyEngine, as_sync
from alembic_online.postgres.sql.tokens import Kind, tokens
from alembic_online.releases.recorded import (
    LeftOut,
    Statement,
    Value,
    as_data,
    joined,
    read_file,
    read_statements,
    renewed,
    write_file,
)

FOLDER = "ALEMBIC_ONLINE_RECORD"
"""The variable that names the folder into which processes write what they make."""
_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES")
_SECRET = re.compile(
    r"passw|passphrase|secret|token|credential|cookie|crypt|signature|(api|private|access|session)_?key|auth(?!or)"
    r"|(^|_)(pwd|otp|pin|salt|ssn|iban|cvv)(_|\d|$)",
    re.IGNORECASE,
)
_PLACE = re.compile(r"%\((?P<name>(?:[^()]|\([^()]*\))+)\)s|%s|%%")
_NUMBERED = re.compile(r"_*\d+$")
_LONGEST = 200
"""Characters of a value."""
_MOST_VALUES = 100
"""Of a statement."""
_ENOUGH = 50
"""Times that the same text is looked at: to read it costs more than to run it."""
_LIBRARIES = ("site-packages", "dist-packages")
_MIGRATIONS = tuple(f"{folder}{os.sep}" for folder in (Path(str(alembic.__file__)).parent, Path(__file__).parents[1]))


def record_statements(engine: AnyEngine, path: str | Path) -> AnyEngine:
    """Add each statement that `engine` makes from now on to the file at `path`, which lint replays; returns it.

    For a process that `alembic-online record` does not start. The file is written whenever a new statement is seen, so
    one process at a time.
    """
    file = Path(path)

    def keep(found: Statement) -> None:
        before: list[Statement] = read_file(file)
        write_file(file, renewed(before, [*before, found]))

    _listen(as_sync(engine), Recorder(keep))
    return engine


def record_process(folder: str) -> None:
    """The same of each engine of this process and those that it forks, into a file of its own in `folder`."""

    def keep(found: Statement) -> None:
        with Path(folder, f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(as_data(found)) + "\n")

    _listen(Engine, Recorder(keep))


def recorded_in(folder: str) -> list[Statement]:
    """What all processes have written there."""
    lines = (line for path in sorted(Path(folder).glob("*.jsonl")) for line in path.read_text("utf-8").splitlines())
    return joined(each for line in lines for each in read_statements(f"[{line}]", "a recording"))


def _listen(engine: Engine | type[Engine], recorder: "Recorder") -> None:
    event.listen(engine, "after_cursor_execute", recorder.see)


class Recorder:
    """Tells `keep` of each statement that is new, and of each sample that tells more than those before."""

    def __init__(self, keep: Callable[[Statement], None]) -> None:
        self._keep, self._known, self._seen = keep, dict[str, Statement](), Counter[str]()

    def see(
        self, connection: Connection, _: Any, sql: str, given: Any, context: ExecutionContext | None, many: bool
    ) -> None:
        """One statement that went through."""
        self._seen[sql] += 1
        if connection.dialect.name != "postgresql" or self._seen[sql] > _ENOUGH or not _is_of_a_release(sql):
            return
        is_raw = context is not None and context.execution_options.get("no_parameters", False)
        names = getattr(getattr(context, "compiled", None), "positiontup", None) or ()
        for parameters in given[:2] if many else [given]:
            text, values = (sql, []) if is_raw else _numbered(connection, sql, parameters or (), names)
            if len(values) <= _MOST_VALUES:
                self._add(_on_one_line(text), values, _names_of(values, context))

    def _add(self, sql: str, values: Sequence[tuple[str, Any]], own: set[str]) -> None:
        doubtful = bool(_SECRET.search(sql))
        sql, inline = _without_literals(sql, len(values)) if doubtful else (sql, 0)
        sample = tuple(_safe(name, value, doubtful and name not in own) for name, value in values)
        found = Statement(sql, "", ((*sample, *[LeftOut("secret")] * inline),))
        known = self._known.get(found.key)
        if known is None:
            if (place := _place()) is None:
                return
            self._known[found.key] = Statement(sql, place, found.samples)
        elif (more := known.with_samples_of(found)) != known:
            self._known[found.key] = Statement(more.sql, known.place, more.samples)
        else:
            return
        self._keep(self._known[found.key])


def _is_of_a_release(sql: str) -> bool:
    """Whether it reads or writes rows, and none of the catalogue's."""
    words = [each.text for each in tokens(sql) if each.kind in (Kind.WORD, Kind.QUOTED_NAME)]
    catalogue = any(each.startswith("pg_") or each == "information_schema" for each in words)
    return bool(words) and words[0].upper() in _VERBS and len(words) > 1 and not catalogue


def _numbered(connection: Connection, sql: str, given: Any, names: Sequence[str]) -> tuple[str, list[tuple[str, Any]]]:
    """With `$1` for each place, and the values in that order, by name where they have one."""
    if connection.dialect.paramstyle == "numeric_dollar":
        known = names if len(names) == len(given) else [""] * len(given)
        return sql, list(zip(known, given, strict=True))
    named = given if isinstance(given, Mapping) else None
    values: list[tuple[str, Any]] = []
    places = dict[str, int]()

    def write(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        name = found["name"] or str(len(values))
        if name not in places:
            values.append((name, given[len(values)] if named is None else named[name]))
            places[name] = len(values)
        return f"${places[name]}"

    return _PLACE.sub(write, sql), values


def _on_one_line(sql: str) -> str:
    """Blanks between tokens are one blank; a comment is one, too."""
    said, end = "", 0
    for each in tokens(sql):
        blank = " " if said and sql[end : each.start].strip() != sql[end : each.start] else ""
        end = each.start + len(each.text)
        if each.kind is Kind.COMMENT:
            said = said if said.endswith(" ") else f"{said} "
        else:
            said += (blank if not said.endswith(" ") else "") + each.text
    return said.strip()


def _without_literals(sql: str, known: int) -> tuple[str, int]:
    """With a further place for each text that stands in it, and how many these are."""
    said, end, found = "", 0, 0
    for each in tokens(sql):
        if each.kind is Kind.STRING:
            found += 1
            said += f"{sql[end : each.start]}${known + found}"
            end = each.start + len(each.text)
    return said + sql[end:], found


def _names_of(values: Sequence[tuple[str, Any]], context: ExecutionContext | None) -> set[str]:
    """Names of those that are called like their column: of INSERT and UPDATE, and those that SQLAlchemy has named."""
    compiled = getattr(context, "compiled", None)
    binds = getattr(compiled, "binds", {})
    written = bool(getattr(compiled, "isinsert", False) or getattr(compiled, "isupdate", False))
    found = set()
    for name, _ in values:
        bind = binds.get(name, binds.get(_NUMBERED.sub("", name)))
        if bind is not None and (written or bind.unique):
            found.add(name)
    return found


def _safe(name: str, value: Any, in_doubt: bool) -> Value:
    """As it is written down. In doubt is what has no name of its own in a statement that names a secret."""
    if _SECRET.search(name) and value is not None:
        return LeftOut("secret")
    kept = _literal(value)
    return LeftOut("secret") if in_doubt and isinstance(kept, str) else kept


def _literal(value: Any) -> Value:
    """As PostgreSQL reads it from a text, but for numbers."""
    match value:
        case Enum():
            return _literal(value.value)
        case None | bool() | int():
            return value
        case float():
            return value if value == value and abs(value) != float("inf") else str(value)
        case _:
            text = _text(value)
    if text is None:
        return LeftOut("unknown")
    return text if len(text) <= _LONGEST else LeftOut("large")


def _text(value: Any) -> str | None:
    match value:
        case str() | Decimal():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return f"\\x{bytes(value).hex()}"
        case timedelta():
            return f"{value.total_seconds()} seconds"
        case list() | tuple():
            return _array(value)
        case dict():
            return json.dumps(value, default=str)
    if hasattr(value, "obj") and type(value).__name__ in ("Json", "Jsonb"):  # psycopg's
        return json.dumps(value.obj, default=str)
    plain = type(value).__module__.partition(".")[0] in ("datetime", "uuid", "ipaddress", "asyncpg")
    return str(value) if plain and type(value).__name__ != "Range" else None


def _array(values: Sequence[Any]) -> str | None:
    members = [_array(each) if isinstance(each, list | tuple) else _member(each) for each in values]
    return None if None in members else f"{{{','.join(map(str, members))}}}"


def _member(value: Any) -> str | None:
    if value is None:
        return "NULL"
    text = _literal(value)
    if isinstance(text, LeftOut):
        return None
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _place() -> str | None:
    """The innermost file and function in the working directory; None in a migration."""
    here, place = Path.cwd(), ""
    for frame in _stack():
        name = frame.f_code.co_filename
        if name.startswith(_MIGRATIONS) and name != __file__:
            return None
        path = Path(name)
        if not place and name != __file__ and path.is_relative_to(here) and not {*path.parts} & {*_LIBRARIES}:
            place = f"{path.relative_to(here).as_posix()}, {frame.f_code.co_qualname}"
    return place


def _stack() -> Iterator[FrameType]:
    """From the innermost frame on, and on to who waits for it: SQLAlchemy's asyncio runs in a greenlet."""
    frame: FrameType | None = sys._getframe(1)
    current: greenlet.greenlet | None = greenlet.getcurrent()
    while frame is not None:
        yield frame
        frame = frame.f_back
        if frame is None and current is not None and (current := current.parent) is not None:
            frame = current.gr_frame
