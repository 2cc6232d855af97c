"""Every change of a schema is seen, said in exactly these words, and gone when it is undone."""

import pytest
from sqlalchemy import Connection

from alembic_online.postgres.catalogue import compare, read_catalogue
from tests.alembic_online.postgres.catalogue.cases import Case, cases
from tests.servers import Server


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


def _run(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
