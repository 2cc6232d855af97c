"""Every kind of change that a catalogue tells is written, both ways: the cases of tests/postgres/catalogue/changes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Context, Schema
from alembic_online.autogenerate.diff import plan
from tests.alembic_online.autogenerate.case import equal, read, run
from tests.alembic_online.postgres.catalogue.cases import Case, cases
from tests.alembic_online.postgres.catalogue.small_tables import WORKBENCH
from tests.longer_proofs import every
from tests.servers import Server

NO_WAY_BACK = frozenset({"inherited column", "index invalid", "index not ready", "extension version"})
"""Brought about by an UPDATE of PostgreSQL's own tables: no statement leads there."""

NOT_YET = frozenset({"domain check"})  # PostgreSQL 18 loses its way after a savepoint: it has a test of its own

REFUSED = frozenset(
    {
        "base type",
        "partition key",
        "index of a partition",
        "columns and checks that come with the parent alone",
    }
)
"""The changes for which there are no lines, and autogenerate says so."""


NOT_IN_A_CATALOGUE = ("CREATE ROLE", "CREATE ACCESS METHOD")


def _chosen(*left_out: str) -> list[Case]:
    return [case for case in cases() if case.name not in left_out]


@pytest.mark.parametrize("case", _chosen(*NO_WAY_BACK, *NOT_YET, *REFUSED), ids=str)
def test_a_change_is_written_up_and_down(case: Case, server: Server, transaction: Connection) -> None:
    with _changed(case, server, transaction) as (before, after):
        up, down = plan(Context(before, after)), plan(Context(after, before))
        run(transaction, down)
        equal(read(transaction), before, down)
        run(transaction, up)
        equal(read(transaction), after, up)


@pytest.mark.parametrize("case", every(7, _chosen(*NO_WAY_BACK, "base type")))
def test_a_schema_is_made_from_nothing_and_dropped_again(case: Case, server: Server, transaction: Connection) -> None:
    """A revision is tried on such a copy."""
    nothing = read(transaction)
    with transaction.begin_nested() as savepoint, _changed(case, server, transaction) as (_, schema):
        savepoint.rollback()
    for statement in case.setup:
        if statement.startswith(NOT_IN_A_CATALOGUE):
            transaction.exec_driver_sql(statement)

    up, down = plan(Context(nothing, schema)), plan(Context(schema, nothing))

    run(transaction, up)
    equal(read(transaction), schema, up)
    run(transaction, down)
    equal(read(transaction), nothing, down)


@pytest.mark.parametrize("case", [case for case in cases() if case.name in REFUSED], ids=str)
def test_a_change_without_lines_is_refused(case: Case, server: Server, transaction: Connection) -> None:
    with _changed(case, server, transaction) as (before, after), pytest.raises(CannotWrite):
        _ = plan(Context(before, after)), plan(Context(after, before))


@contextmanager
def _changed(case: Case, server: Server, connection: Connection) -> Iterator[tuple[Schema, Schema]]:
    """The schemas before and after; the database is at the latter."""
    if server.version < case.since:
        pytest.skip(f"PostgreSQL {server.version} has no such thing")
    for statement in (WORKBENCH, *case.setup):
        connection.exec_driver_sql(statement)
    before = read(connection)
    for statement in case.change:
        connection.exec_driver_sql(statement)
    yield before, read(connection)
