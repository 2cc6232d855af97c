"""What goes with a statement is found by the catalogue, and only what holds something counts."""

import pytest
from sqlalchemy import Connection

from alembic_online.runner.data_loss import losses

MOOD = "CREATE TYPE mood AS ENUM ('calm')"
PARTITIONED = (
    "CREATE TABLE b (id int) PARTITION BY LIST (id); CREATE TABLE p PARTITION OF b DEFAULT; INSERT INTO b VALUES (1)"
)
# What there is, what the downgrade does, and what is lost by that: nothing where it is empty.
GOES_WITH = [
    (
        "a schema",
        "CREATE SCHEMA s; CREATE TABLE s.b AS SELECT 1 AS id",
        "DROP SCHEMA IF EXISTS s CASCADE",
        "table s.b: 1 row",
    ),
    (
        "a schema of partitions",
        "CREATE SCHEMA s; CREATE TABLE b (id int) PARTITION BY LIST (id);"
        "CREATE TABLE s.p PARTITION OF b FOR VALUES IN (1); INSERT INTO b VALUES (1)",
        "DROP SCHEMA s CASCADE",
        "table s.p: 1 row",
    ),
    (
        "a type",
        f"{MOOD}; CREATE TABLE b AS SELECT CAST('calm' AS mood) AS m",
        "DROP TYPE mood CASCADE",
        "column b.m: 1 value",
    ),
    (
        "an array's type",
        f"{MOOD}; CREATE TABLE b AS SELECT CAST('{{calm}}' AS mood[]) AS m",
        "DROP TYPE mood CASCADE",
        "column b.m: 1 value",
    ),
    (
        "a domain's type",
        f"{MOOD}; CREATE DOMAIN d AS mood; CREATE TABLE b AS SELECT CAST('calm' AS d) AS m",
        "DROP TYPE mood CASCADE",
        "column b.m: 1 value",
    ),
    ("a type that nothing uses", f"{MOOD}; CREATE TABLE b AS SELECT 1 AS id", "DROP TYPE mood", ""),
    (
        "an extension",
        "CREATE EXTENSION vector; CREATE TABLE b AS SELECT CAST('[1]' AS vector) AS v",
        "DROP EXTENSION vector CASCADE",
        "column b.v: 1 value",
    ),
    (
        "a field of a type",
        "CREATE TYPE pair AS (x int, y int); CREATE TABLE b AS SELECT CAST(ROW(1, NULL) AS pair) AS p",
        "ALTER TYPE pair DROP ATTRIBUTE x CASCADE",
        "column b.p.x: 1 value",
    ),
    (
        "a field that is empty",
        "CREATE TYPE pair AS (x int, y int); CREATE TABLE b AS SELECT CAST(ROW(1, NULL) AS pair) AS p",
        "ALTER TYPE pair DROP ATTRIBUTE y CASCADE",
        "",
    ),
    (
        "a partition",
        PARTITIONED,
        "DROP TABLE p",
        "table p: 1 row",
    ),
    (
        "a parent",
        "CREATE TABLE b (id int); CREATE TABLE c () INHERITS (b); INSERT INTO c VALUES (1)",
        "DROP TABLE b CASCADE",
        "table b: 1 row",
    ),
    (
        "a column that the child keeps",
        "CREATE TABLE b (id int, n int); CREATE TABLE c () INHERITS (b); INSERT INTO c VALUES (1, 1)",
        "ALTER TABLE ONLY b DROP COLUMN n",
        "",
    ),
    (
        "a quoted name",
        'CREATE TABLE "B b" AS SELECT 1 AS "N n"',
        'ALTER TABLE "B b" DROP COLUMN "N n"',
        'column "B b"."N n": 1 value',
    ),
    ("another case", "CREATE TABLE b AS SELECT 1 AS n", "ALTER TABLE B DROP N", "column b.n: 1 value"),
    (
        "rows that refer to it",
        "CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (b int REFERENCES b);"
        "INSERT INTO b VALUES (1); INSERT INTO c VALUES (1)",
        "TRUNCATE b CASCADE",
        "table c: 1 row",
    ),
    (
        "what a role owns",
        "CREATE ROLE owns_b; CREATE TABLE b AS SELECT 1 AS id; ALTER TABLE b OWNER TO owns_b",
        "DROP OWNED BY owns_b CASCADE",
        "table b: 1 row",
    ),
    (
        "a sequence that counts",
        "CREATE SEQUENCE n; SELECT nextval('n'), nextval('n')",
        "DROP SEQUENCE n",
        "sequence n: its position, 2",
    ),
    ("a sequence that was never asked", "CREATE SEQUENCE n", "DROP SEQUENCE n", ""),
    (
        "a column that is computed",
        "CREATE TABLE b (id int, n int GENERATED ALWAYS AS (id + 1) STORED); INSERT INTO b VALUES (1)",
        "ALTER TABLE b DROP COLUMN n",
        "",
    ),
    ("a view of rows", "CREATE MATERIALIZED VIEW v AS SELECT 1 AS id", "DROP MATERIALIZED VIEW v", ""),
    (
        "a partition that stays as a table",
        PARTITIONED,
        "ALTER TABLE b DETACH PARTITION p",
        "",
    ),
]


@pytest.mark.parametrize(
    ("there", "drop", "lost"), [case[1:] for case in GOES_WITH], ids=[case[0] for case in GOES_WITH]
)
def test_what_goes_with_a_statement(connection: Connection, there: str, drop: str, lost: str) -> None:
    connection.exec_driver_sql(there)
    found = [str(loss) for loss in losses(connection, drop)]
    assert lost in found if lost else not found, found
    connection.exec_driver_sql(drop)  # it is a statement that the server takes


def test_a_virtual_column_is_computed_again(connection: Connection) -> None:
    if str(connection.exec_driver_sql("SHOW server_version_num").scalar()) < "18":
        pytest.skip("VIRTUAL came with PostgreSQL 18")
    connection.exec_driver_sql("CREATE TABLE b AS SELECT 1 AS id; ALTER TABLE b ADD n int GENERATED ALWAYS AS (id + 1)")
    assert not list(losses(connection, "ALTER TABLE b DROP COLUMN n"))
