"""A copy of a schema, without its rows: made by the same plan that writes revisions, from nothing to what is there."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from alembic.operations import MigrateOperation, Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql

from src.postgres.catalogue import Catalogue
from src.safety.autogenerate.call import Call
from src.safety.autogenerate.context import Context, Schema, read_schema
from src.safety.autogenerate.plan import plan
from src.safety.autogenerate.wanted import prepare_like


def copy_schema(connection: Connection, whole: Schema, ours: Catalogue) -> None:
    """Make `ours`, and what of `whole` it needs, in the empty database of `connection`, which is in autocommit.

    Raises `CannotWrite`, `DBAPIError`.
    """
    prepare_like(connection, whole)
    fresh = read_schema(connection)
    there = {entry.identity: entry for entry in fresh.catalogue.values()}
    entries = [there.get(entry.identity) or ours.get(entry.identity, entry) for entry in whole.needed_for(ours)]
    goal = replace(whole, catalogue=Catalogue([*there.values(), *entries]))
    run_lines(connection, plan(Context(fresh, goal)))


def run_lines(connection: Connection, lines: Sequence[MigrateOperation]) -> None:
    """Carry the lines out as they would stand in a file. Raises `DBAPIError`."""
    execute_lines(MigrationContext.configure(connection), lines)


def execute_lines(context: MigrationContext, lines: Sequence[MigrateOperation]) -> None:
    """Carry the lines out, or write them as SQL, as `context` says."""
    names = {"op": Operations(context), "sa": sa, "postgresql": postgresql}
    for line in lines:
        for statement in line.imports if isinstance(line, Call) else ():
            exec(statement, names)
        exec(str(line), names)
