"""Tables get rows that respect what they demand, without being told how."""

import pytest
from sqlalchemy import Connection

from alembic_online.sample_rows.row_factory import Filler

TABLES = {
    "enums, domains and arrays": """
        CREATE TYPE mood AS ENUM ('calm', 'cross');
        CREATE DOMAIN grade AS int CHECK (VALUE BETWEEN 70 AND 72);
        CREATE TABLE t (a mood NOT NULL, b grade NOT NULL, c mood[] NOT NULL, d text[] NOT NULL, e grade[])
    """,
    "checks of one column": """
        CREATE TABLE t (a text NOT NULL CHECK (a ~ '@'), b int CHECK (b > 41 AND b < 43),
          c varchar(3) CHECK (c IN ('abc', 'xyz')), d text CHECK (length(d) >= 30), e date CHECK (e > '2100-01-01'))
    """,
    "a check of two columns": "CREATE TABLE t (a int NOT NULL, b int NOT NULL, CHECK (a = b + 9 OR (a = 7 AND b = 8)))",
    "foreign keys of several columns": """
        CREATE TABLE tenants (id int PRIMARY KEY);
        CREATE TABLE users (tenant int REFERENCES tenants, id uuid, PRIMARY KEY (tenant, id));
        CREATE TABLE t (tenant int NOT NULL, u uuid NOT NULL, FOREIGN KEY (tenant, u) REFERENCES users)
    """,
    "a row that refers to rows of its own table": "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t)",
    "vectors and other types": """
        CREATE EXTENSION IF NOT EXISTS vector;
        CREATE TABLE t (a vector(4) NOT NULL, b halfvec(3) NOT NULL, c jsonb NOT NULL, d bytea NOT NULL,
          e inet NOT NULL, f int4range NOT NULL, g tsvector NOT NULL, h bit(5) NOT NULL, i interval NOT NULL,
          j numeric(3, 2) NOT NULL,
          k timestamptz NOT NULL, l boolean NOT NULL, m char(2) NOT NULL, n point NOT NULL, o time NOT NULL)
    """,
    "identities and generated columns": """
        CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b serial, c int NOT NULL,
          d int GENERATED ALWAYS AS (c * 2) STORED)
    """,
    "names that must be quoted": 'CREATE TABLE t ("order" int NOT NULL, "Größe" text NOT NULL UNIQUE)',
}


@pytest.mark.parametrize("what", TABLES)
def test_a_table_is_filled_with(what: str, connection: Connection) -> None:
    connection.exec_driver_sql(TABLES[what])
    assert Filler().fill(connection) == []
    assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one() >= 1


RULE = "CREATE TABLE t (a text NOT NULL CHECK (a ~ '^[A-Z]{3}-[0-9]{4}$'))"


def test_a_table_that_cannot_be_filled_is_named(connection: Connection) -> None:
    connection.exec_driver_sql(RULE)
    (said,) = Filler().fill(connection)
    assert said.startswith("no row could be made for t (new row for relation")


def test_a_hint_of_the_project_is_taken(connection: Connection) -> None:
    connection.exec_driver_sql(RULE)
    assert Filler({"t": {"a": ["ABC-1234"]}}).fill(connection) == []
    assert connection.exec_driver_sql("SELECT DISTINCT a FROM t").scalar_one() == "ABC-1234"
