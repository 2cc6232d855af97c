"""The file of statements that a release has made, each once, with a few values it was made with: to be committed.

A statement is in it as PostgreSQL gets it, with `$1` for each value. Two that differ in literals, or in how many rows
or members they list, are one. It is sorted, and what is recorded again stays as it was written first: ids and moments
are others in each run of the tests.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic_online.errors import RequestRefused
from alembic_online.postgres.sql.tokens import Kind, tokens

FILE = "statements.json"
"""Its name, beside env.py."""
MOST_SAMPLES = 3
_LITERALS = (Kind.STRING, Kind.NUMBER, Kind.PARAMETER)
_LISTED = re.compile(r"(\?(?: :: [\w\"]+(?: [\w\"]+)*)?)(?: , \1)+")
_ROWS = re.compile(r"(\( [^()]* \))(?: , \1)+")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A value that is not written down: `secret`, `large`, or of a type that is `unknown`."""

    why: str


Value = None | bool | int | float | str | LeftOut
Values = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One of them."""

    sql: str
    place: str
    """File and function that made it, for a sentence; empty where nobody knows."""
    samples: tuple[Values, ...] = field(default=())

    @property
    def key(self) -> str:
        """Equal for two that are one."""
        words = ["?" if each.kind in _LITERALS else each.text for each in tokens(self.sql) if each.kind != Kind.COMMENT]
        return _ROWS.sub(r"\1", _LISTED.sub(r"\1", " ".join(words)))

    def with_samples_of(self, other: "Statement") -> "Statement":
        """Both as one: the shorter of the two, and where they are written alike the samples of both that tell most."""
        if self.sql != other.sql:
            return min(self, other, key=lambda each: (len(each.samples[0]) if each.samples else 0, len(each.sql)))
        return Statement(self.sql, self.place or other.place, _telling((*self.samples, *other.samples)))


def joined(statements: Iterable[Statement]) -> list[Statement]:
    """Each once, sorted."""
    found: dict[str, Statement] = {}
    for each in statements:
        known = found.get(key := each.key)
        found[key] = known.with_samples_of(each) if known else each
    return sorted(found.values(), key=lambda each: each.sql)


def renewed(before: Iterable[Statement], now: Iterable[Statement]) -> list[Statement]:
    """What is recorded now; what was recorded before, too, is left as it stands."""
    known = {each.key: each for each in before}
    return sorted((known.get(each.key, each) for each in joined(now)), key=lambda each: each.sql)


def _telling(samples: Sequence[Values]) -> tuple[Values, ...]:
    """The first, the one that repeats most of it (for a unique key), and the longest (for a narrower type)."""
    first, *others = dict.fromkeys(samples)
    alike = max(others, key=lambda each: sum(map(_same, first, each)), default=first)
    longest = max(samples, key=lambda each: sum(len(str(value)) for value in each))
    return tuple(dict.fromkeys((first, alike, longest)))


def _same(one: Value, other: Value) -> bool:
    return one == other and one is not None


def read_statements(written: str, name: str) -> list[Statement]:
    """What a file holds. Raises `RequestRefused` for one that is none."""
    try:
        return [_read(each) for each in json.loads(written)]
    except (ValueError, TypeError, KeyError) as error:
        raise RequestRefused(
            f"{name} is no file of recorded statements.", "Write it again: alembic-online record -- pytest"
        ) from error


def _read(entry: Mapping[str, Any]) -> Statement:
    samples = (tuple(map(_value, values)) for values in entry["samples"])
    return Statement(str(entry["sql"]), str(entry["from"]), tuple(samples))


def _value(written: Any) -> Value:
    return LeftOut(written["left_out"]) if isinstance(written, dict) else written


def as_data(statement: Statement) -> dict[str, Any]:
    """As JSON has it."""
    samples = [
        [{"left_out": each.why} if isinstance(each, LeftOut) else each for each in values]
        for values in statement.samples
    ]
    return {"sql": statement.sql, "from": statement.place, "samples": samples}


def read_file(path: Path) -> list[Statement]:
    """What it holds; nothing where there is none. Raises `RequestRefused`."""
    return read_statements(path.read_text(encoding="utf-8"), path.name) if path.exists() else []


def write_file(path: Path, statements: Iterable[Statement]) -> None:
    """One statement after the other, with a line for each sample."""
    listed = ",\n".join(map(_written, statements))
    path.write_text(f"[\n{listed}\n]\n", encoding="utf-8")


def _written(statement: Statement) -> str:
    data = as_data(statement)
    sql, place = (json.dumps(data[name], ensure_ascii=False) for name in ("sql", "from"))
    samples = ",\n    ".join(json.dumps(each, ensure_ascii=False) for each in data["samples"])
    return f'  {{"sql": {sql},\n  "from": {place},\n  "samples": [\n    {samples}\n  ]}}'
