"""What PostgreSQL prints is the same text after it was parsed and printed again."""

import pytest
from sqlalchemy import Connection

from alembic_online.postgres.catalogue import Attribute, Identity, Kind, read_catalogue

CHECKS = [
    "v IN ('a', 'b')",
    "v NOT IN ('it''s', 'b]', '')",
    "v IN ('a')",
    "c IN ('a', 'b')",
    "t IN ('a', 'b') AND v IN ('c', 'd')",
    "n IN (1, 2) AND n BETWEEN 1 AND 3.5",
    "v = ANY (ARRAY['a', 'b'])",
    "v LIKE 'a%' OR lower(v) IN ('x', 'y')",
    "d IN ('2026-01-01', '2026-02-01')",
]


@pytest.mark.parametrize("check", CHECKS)
def test_a_definition_made_again_from_its_text_is_the_same(connection: Connection, check: str) -> None:
    table = "CREATE TABLE {} (v varchar(9), c char(3), t text, n numeric, d date, CONSTRAINT k {})"

    def definition(name: str) -> str:
        entry = read_catalogue(connection)[Identity(Kind.CONSTRAINT, "public", name, "k")]
        return entry.text(Attribute.DEFINITION)

    with connection.begin_nested() as savepoint:
        connection.exec_driver_sql(table.format("one", f"CHECK ({check})").replace("%", "%%"))
        connection.exec_driver_sql(table.format("two", definition("one")).replace("%", "%%"))
        first, second = definition("one"), definition("two")
        savepoint.rollback()
    assert first == second
