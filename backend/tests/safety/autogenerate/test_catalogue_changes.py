"""Every kind of change that a catalogue tells is written, both ways: the cases of tests/postgres/catalogue/changes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from src.safety.autogenerate.cannot_write import CannotWrite
from src.safety.autogenerate.context import Context, Schema
from src.safety.autogenerate.plan import plan
from tests.postgres.catalogue.cases import Case, cases
from tests.postgres.catalogue.conftest import WORKBENCH
from tests.safety.autogenerate.case import equal, read, run
from tests.servers import Server

WRITTEN: frozenset[str] = frozenset(
    {
        "tables",
        "columns",
        "data_types",
        "operators",
        "sequences",
        "constraints",
        "indexes",
        "namespaces",
        "views",
        "triggers",
        "routines",
    }
    | {"policies", "publications", "privileges"}
)
"""The families that are written, whole."""

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


def _chosen(*, refused: bool) -> list[Case]:
    written = [case for case in cases() if case.family in WRITTEN and case.name not in NO_WAY_BACK | NOT_YET]
    return [case for case in written if (case.name in REFUSED) is refused]


@pytest.mark.parametrize("case", _chosen(refused=False), ids=str)
def test_a_change_is_written_up_and_down(case: Case, server: Server, transaction: Connection) -> None:
    with _changed(case, server, transaction) as (before, after):
        up, down = plan(Context(before, after)), plan(Context(after, before))
        run(transaction, down)
        equal(read(transaction), before, down)
        run(transaction, up)
        equal(read(transaction), after, up)


@pytest.mark.parametrize("case", _chosen(refused=True), ids=str)
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
