"""Every change of a schema is seen, said in exactly these words, and gone when it is undone."""

import pytest
from sqlalchemy import Connection

from alembic_online.postgres.catalogue import compare, read_catalogue
from alembic_online.postgres.catalogue.fingerprint import Scope, read_fingerprint
from alembic_online.postgres.catalogue.version import read_version
from tests.alembic_online.postgres.catalogue.cases import Case, cases
from tests.servers import Server

EVERYTHING = Scope(("public", "archive", "extensions"), extensions=("vector",))
OUTSIDE = {
    "indexes: index statistics target",
    "views: materialized view statistics target",
    "namespaces: extension schema",
    "namespaces: extension version",
    "namespaces: extension comment",
    "tables: a partition's bound",
}
"""No fingerprint has them: it would be of no use, or partitions and extensions are others'."""


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_a_change_is_said_in_words_and_its_undoing_restores_equality(
    case: Case, server: Server, bench: Connection
) -> None:
    if server.version < case.since:
        pytest.skip(f"PostgreSQL {server.version} has no such thing")
    _run(bench, case.setup)
    before = read_catalogue(bench)
    _run(bench, case.change)
    after = read_catalogue(bench)
    _run(bench, case.undo)
    undone = read_catalogue(bench)

    assert [str(difference) for difference in compare(before, after)] == case.words
    assert (before == after) is (not case.words)
    assert compare(before, undone) == []
    assert before == undone


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_the_fingerprint_is_another_one_after_a_change_and_the_same_after_its_undoing(
    case: Case, server: Server, bench: Connection
) -> None:
    if server.version < case.since:
        pytest.skip(f"PostgreSQL {server.version} has no such thing")
    _run(bench, case.setup)
    before, version = read_fingerprint(bench, EVERYTHING), read_version(bench)
    with bench.begin_nested():  # under a transaction id of its own
        _run(bench, case.change)
    after = read_fingerprint(bench, EVERYTHING)
    assert (before != after) is (bool(case.words) and str(case) not in OUTSIDE)
    assert before == after or version != read_version(bench)
    _run(bench, case.undo)
    assert read_fingerprint(bench, EVERYTHING) == before


def _run(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
