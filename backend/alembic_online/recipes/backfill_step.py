"""The rows that are there get what new rows get by themselves: a backfill as a step of an operation.

Without a key a table is walked by the place of its rows, and with partitions or children it has such places in each of
them: then these are walked one by one.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from alembic.runtime.migration import MigrationContext

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.keyset import KEY_OF_TABLE
from alembic_online.recipes.database import Database
from alembic_online.recipes.step import Step, Task


def fill(words: str, definition: Backfill, database: Database, *, unlimited: bool = False) -> Iterator[Task]:
    """One task, or one for each part of the table; `words` say what it does, and `definition` names its table.

    `unlimited` takes as long as it takes, whatever the policy says of an upgrade.
    """
    table = definition.table
    for part in json.loads(database.recall(f"parts: {words}", lambda: json.dumps(_parts(table, database))) or "[]"):
        name = f"{definition.name}_{part.replace(chr(34), '')}"
        yield _task(f"{words}, {part}", replace(definition, table=part, name=name), unlimited)
    yield _task(words, definition, unlimited)


def _parts(table: str, database: Database) -> list[str]:
    """The tables below, where `table` has no key to walk all of them by."""
    parts = database.partitions(table)
    if not parts or database.ask(KEY_OF_TABLE, table=table):
        return []
    return [part.sql for part in parts if not part.partitioned]


def _task(words: str, definition: Backfill, unlimited: bool) -> Task:
    def written() -> list[Step]:
        from alembic_online.backfill.script import script  # noqa: PLC0415  see `registry`

        return [Step(sql=script(definition, commits=True))]

    return Task(words=words, run=partial(_run, definition, unlimited), script=written)


def _run(definition: Backfill, unlimited: bool, context: MigrationContext) -> None:
    from alembic_online.backfill.in_upgrade import run_outside  # noqa: PLC0415  see `registry`

    run_outside(context, definition, unlimited=unlimited)
