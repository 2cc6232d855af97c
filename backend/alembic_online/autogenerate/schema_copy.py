"""A copy of a schema, without its rows: made by the same plan that writes revisions, from nothing to what is there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql

from alembic_online.autogenerate.context import Context, Schema, read_schema
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.op_rendering import Call
from alembic_online.autogenerate.scratch_extensions import prepare_like
from alembic_online.postgres.catalogue import Catalogue, CatalogueObject, Identity, Kind


def copy_schema(connection: Connection, whole: Schema, ours: Catalogue) -> None:
    """Make `ours`, and what of `whole` it needs, in the empty database of `connection`, which is in autocommit.

    Raises `CannotWrite`, `DBAPIError`.
    """
    prepare_like(connection, whole)
    fresh = read_schema(connection)
    there = {entry.identity: entry for entry in fresh.catalogue.values()}
    entries = [_copied(entry, there, ours) for entry in whole.needed_for(ours)]
    # Without a default schema: all names are written in full, whatever the search_path leads to by then.
    goal = replace(whole, catalogue=Catalogue([*there.values(), *entries]), default="")
    run_lines(connection, plan(Context(fresh, goal)))


def _copied(
    entry: CatalogueObject, there: Mapping[Identity, CatalogueObject], ours: Mapping[Identity, CatalogueObject]
) -> CatalogueObject:
    """What is there stays as it is, but for a schema of ours such as `public`: it may have grants and a comment."""
    known = (ours, there) if entry.kind is Kind.SCHEMA else (there, ours)
    return next((found[entry.identity] for found in known if entry.identity in found), entry)


def run_lines(connection: Connection, lines: Sequence[MigrateOperation]) -> None:
    """Carry the lines out as they would stand in a file. Raises `DBAPIError`."""
    execute_lines(MigrationContext.configure(connection), lines)


def execute_lines(context: MigrationContext, lines: Sequence[MigrateOperation]) -> None:
    """Carry the lines out, or write them as SQL, as `context` says."""
    names = names_of_lines(Operations(context), lines)
    for line in lines:
        exec(str(line), names)


def names_of_lines(operations: Operations, lines: Sequence[MigrateOperation]) -> dict[str, Any]:
    """What the lines may name: `operations` as `op`, and what each imports."""
    names: dict[str, Any] = {"op": operations, "sa": sa, "postgresql": postgresql}
    for line in lines:
        for statement in line.imports if isinstance(line, Call) else ():
            exec(statement, names)
    return names
