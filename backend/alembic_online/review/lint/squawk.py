"""squawk, a linter for PostgreSQL's SQL: its wheel (squawk-cli) carries the program, and is needed for this alone."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import which

from alembic_online.errors import RequestRefused

_STYLE = frozenset(
    (
        "prefer-robust-stmts",
        "prefer-bigint-over-int",
        "prefer-bigint-over-smallint",
        "prefer-identity",
        "prefer-text-field",
        "prefer-timestamp-tz",
        "ban-char-field",
        "require-lock-timeout",
        "require-statement-timeout",
    )
)
"""Left out: matters of taste, and what the toolkit itself sees to."""


@dataclass(frozen=True)
class Said:
    """One warning."""

    rule: str
    message: str
    statement: str
    """The beginning of the line that it is about."""
    line: int


@cache
def _program() -> str | None:
    return which("squawk", path=str(Path(sys.executable).parent)) or which("squawk")


def is_installed() -> bool:
    """Whether the program is there."""
    return _program() is not None


def read(statements: Sequence[str]) -> list[Said]:
    """What it says of these statements, which run together. Raises `RequestRefused` where it is not installed."""
    program = _program()
    if program is None:
        raise RequestRefused("squawk is not installed.", "Install it: pip install 'alembic-online[lint]'.")
    sql = "".join(f"{statement.rstrip().rstrip(';')};\n" for statement in statements)
    command = [program, "--reporter", "json"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RequestRefused(f"squawk failed: {done.stderr.strip()[:200]}", "Run it by hand on the SQL.")
    lines = sql.splitlines()
    return [
        Said(each["rule_name"], each["message"], lines[each["line"]].strip()[:80], each["line"] + 1)
        for each in json.loads(done.stdout or "[]")
        if each["rule_name"] not in _STYLE
    ]
