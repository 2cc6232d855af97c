"""The page of operations: each example is run as a revision on tables that count as large, and what it did shown."""

import importlib
import inspect
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from alembic.config import Config

from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.execution import try_out
from alembic_online.review.plan.report import Line
from alembic_online.review.plan.trace import Traced
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import make_project
from tests.alembic_online.review.lint.place import place_of
from tests.documents.examples import EXAMPLES, TABLES, Example
from tests.documents.pages import MADE_BY

_HEAD = """\
Alembic's operations keep their names. On a table in use each is carried out in steps that stop nobody.
That holds in revisions that others wrote, in both directions, and in `op.batch_alter_table`.
It holds for the common forms of SQL in `op.execute` too.

Each example below was run on PostgreSQL 18, on tables that count as large.
Statements with one number are one transaction. The lock is the strongest that the statement took.

- A table that is new in the revision, empty, or smaller than `MIGRATION_SMALL_TABLE_BYTES` is changed directly.
  That statement is ended after `MIGRATION_LOCK_TIMEOUT`, and then done in steps.
- A revision may say that a table is changed directly, and why. Stock Alembic passes over the line:
  `direct = {"books": "the shop is closed while this runs"}`.
- Rows in the way (NULLs, duplicates, orphans, rows that break a check) are looked for first, counted and named.
  Nothing is changed then.
- `--sql` writes the same steps, but cannot ask the database. There every table is large, and none has partitions.
  A change of type is the one statement. What takes but an instant stays in one transaction.
- What is not listed takes but an instant, or is run as it stands.
"""
_NOTED = "Each transaction is noted in the journal. The next run begins after the last one that was committed."
_AGAIN = "It is one transaction: after a failure nothing of it is there, and the next run begins again."
_INVALID = "What a failed CONCURRENTLY left is an INVALID index: the next run drops it, and goes on."
_BATCH = "The rows are changed in batches. The next run goes on after the last batch that was committed."
_LONGEST = 120  # characters of a statement
_ROLE = re.compile(r"(?<=AUTHORIZATION )\w+")
"""Whose server this is does not belong on a page."""


def operations(url: str) -> str:
    """The page. `url` is an empty database, in which nothing is left."""
    return "\n\n".join([f"# Operations\n\n{MADE_BY}", _HEAD.strip(), *_sections(_trials(url))]) + "\n"


def _trials(url: str) -> dict[str, Trial]:
    """What each example did. Between two of them the former is taken back."""
    with TemporaryDirectory() as folder, patch.dict(os.environ, {"DATABASE_URL": url}):
        project = make_project(Path(folder))
        drop = "op.execute('DROP SCHEMA public CASCADE; CREATE SCHEMA public')"
        project.revision("tables", None, f'op.execute("""{TABLES}""")', drop)
        before = "tables"
        for n, example in enumerate(EXAMPLES):
            if example.upgrade:
                project.revision(f"example_{n}", before, example.upgrade, example.downgrade)
                project.revision(f"back_{n}", f"example_{n}", example.downgrade, example.upgrade)
                before = f"back_{n}"
        opened = open_project(Config(project.folder / "alembic.ini"))
        scripts = [each for each in opened.scripts.walk_revisions() if each.revision.startswith("example_")]
        return try_out(opened, place_of(url), scripts[::-1])


def _sections(trials: dict[str, Trial]) -> Iterator[str]:
    for n, example in enumerate(EXAMPLES):
        yield "\n\n".join(filter(None, _section(example, trials.get(f"example_{n}"))))


def _section(example: Example, trial: Trial | None) -> Iterator[str]:
    yield f"## {example.title}"
    if trial is not None:
        assert not trial.failed, f"{example.title}: {trial.failed}"
        yield f"```python\n{example.upgrade}\n```"
        as_it_stands = len(trial.upgrade) == 1 and not _concurrent(trial.upgrade)
        yield "What is executed:" if as_it_stands else "What is executed instead:"
        yield _steps(trial.upgrade)
    yield _reason(example.module)
    yield example.words
    if trial is not None:
        yield f"**How it resumes.** {' '.join(_resumes(trial.upgrade))}"


def _reason(module: str) -> str:
    """How and why, as the recipe says it; its first line stands in a sentence of its own."""
    if not module:
        return ""
    return inspect.getdoc(importlib.import_module(f"alembic_online.recipes.{module}")) or ""


def _steps(statements: Sequence[Traced]) -> str:
    rows = ["| tx | statement | lock | blocks |", "|---|---|---|---|"]
    locked: set[int] = set()
    for each in statements:
        held = each.transaction in locked and not each.locks
        blocks = "as above" if held else Line(each, {}).blocks or "nobody"
        rows.append(f"| {each.transaction} | {_sql(each)} | {_lock(each)} | {blocks} |")
        if each.locks:
            locked.add(each.transaction)
    return "\n".join(rows)


def _sql(traced: Traced) -> str:
    line = _ROLE.sub("migrator", " ".join(traced.sql.split())).replace("|", "\\|")
    return traced.sql if traced.fills else f"`{line if len(line) <= _LONGEST else line[: _LONGEST - 1] + '…'}`"


def _lock(traced: Traced) -> str:
    return ", ".join(f"{lock} on {table}" for table, lock in sorted(traced.locks.items()))


def _resumes(statements: Sequence[Traced]) -> Iterator[str]:
    if len({each.transaction for each in statements}) > 1:
        yield _NOTED
    elif not _concurrent(statements):
        yield _AGAIN
    if _concurrent(statements):
        yield _INVALID
    if any(each.fills for each in statements):
        yield _BATCH


def _concurrent(statements: Sequence[Traced]) -> bool:
    return any("INDEX CONCURRENTLY" in each.sql for each in statements)
