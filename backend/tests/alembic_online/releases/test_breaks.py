"""Promise: it is known of every change whether the release before stumbles over it, by the catalogue alone."""

from dataclasses import dataclass

import pytest
from sqlalchemy import Connection

from alembic_online.postgres.catalogue import read_catalogue
from alembic_online.releases.breaks import How, breaks

TABLE = """
    CREATE TYPE size AS ENUM ('s', 'm', 'l');
    CREATE TABLE makers (id bigint PRIMARY KEY);
    CREATE TABLE shoes (id int PRIMARY KEY, maker bigint, name varchar(20) NOT NULL, price numeric(8, 2) DEFAULT 0,
        at timestamp, fits size, code text NOT NULL DEFAULT 'x', tags text[], CONSTRAINT one_name UNIQUE (name));
    CREATE INDEX by_price ON shoes (price);
    CREATE VIEW cheap AS SELECT id, name FROM shoes WHERE price < 10;
"""


@dataclass(frozen=True)
class Case:
    """A change, and what of it breaks: the name of the object, and how."""

    change: str
    breaks: tuple[tuple[str, How], ...] = ()


def expand(change: str) -> Case:
    return Case(change)


def contract(change: str, name: str, how: How) -> Case:
    return Case(change, ((name, how),))


CASES = (
    # what the release before does not notice
    expand("CREATE TABLE socks (id int PRIMARY KEY, shoe int NOT NULL REFERENCES shoes, UNIQUE (shoe))"),
    expand("ALTER TABLE shoes ADD colour text"),
    expand("ALTER TABLE shoes ADD colour text NOT NULL DEFAULT 'red'"),
    expand("ALTER TABLE shoes ADD colour text CONSTRAINT c CHECK (colour <> '') UNIQUE"),
    expand("ALTER TABLE shoes ADD model bigint REFERENCES makers"),
    expand("ALTER TABLE shoes ADD number int GENERATED ALWAYS AS IDENTITY"),
    expand("ALTER TABLE shoes ALTER name DROP NOT NULL"),
    expand("ALTER TABLE shoes ALTER price SET DEFAULT 1"),
    expand("ALTER TABLE shoes ALTER maker SET DEFAULT 1"),
    expand("ALTER TABLE shoes ALTER id TYPE bigint"),
    expand("ALTER TABLE shoes ALTER price TYPE numeric(10, 2)"),
    expand("CREATE INDEX ON shoes (maker)"),
    expand("DROP INDEX by_price"),
    expand("ALTER TYPE size ADD VALUE 'xl'"),
    expand("CREATE OR REPLACE VIEW cheap AS SELECT id, name, price FROM shoes WHERE price < 5"),
    expand("ALTER TABLE shoes RENAME CONSTRAINT one_name TO shoes_name"),
    expand("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    expand("COMMENT ON TABLE shoes IS 'for feet'"),
    expand("ALTER TABLE shoes RENAME TO footwear; CREATE VIEW shoes AS SELECT * FROM footwear"),
    # what it names is gone
    contract("DROP VIEW cheap", "cheap", How.GONE),
    contract("ALTER TABLE shoes DROP maker", "maker", How.GONE),
    contract("ALTER TABLE shoes RENAME maker TO made_by", "maker", How.GONE),
    contract("ALTER TABLE makers RENAME TO producers", "makers", How.GONE),
    contract("DROP TABLE makers", "makers", How.GONE),
    contract("ALTER TYPE size RENAME VALUE 's' TO 'small'", "size", How.GONE),
    Case("ALTER TYPE size RENAME TO sizes", (("fits", How.RULED), ("size", How.GONE))),
    contract("ALTER TABLE shoes DROP CONSTRAINT one_name", "one_name", How.GONE),
    contract("DROP VIEW cheap; CREATE VIEW cheap AS SELECT id FROM shoes", "name", How.GONE),
    # its rows do not get in
    contract("ALTER TABLE shoes ADD colour text NOT NULL", "colour", How.REFUSED),
    contract("ALTER TABLE shoes ALTER maker SET NOT NULL", "maker", How.REFUSED),
    contract("ALTER TABLE shoes ALTER code DROP DEFAULT", "code", How.REFUSED),
    contract("ALTER TABLE shoes ALTER price TYPE numeric(6, 2)", "price", How.REFUSED),
    contract("ALTER TABLE shoes ALTER maker TYPE int", "maker", How.REFUSED),
    # they may break a rule
    contract("ALTER TABLE shoes ALTER price SET NOT NULL", "price", How.RULED),
    contract("ALTER TABLE shoes ALTER price DROP DEFAULT", "price", How.RULED),
    contract("ALTER TABLE shoes ADD CONSTRAINT k FOREIGN KEY (maker) REFERENCES makers NOT VALID", "k", How.RULED),
    contract("ALTER TABLE shoes ADD CONSTRAINT dear CHECK (price > 0)", "dear", How.RULED),
    contract("ALTER TABLE shoes ADD CONSTRAINT u UNIQUE (maker, at)", "u", How.RULED),
    contract("CREATE UNIQUE INDEX u ON shoes (maker)", "u", How.RULED),
    contract("ALTER TABLE shoes ALTER at TYPE timestamptz", "at", How.RULED),
    contract("ALTER TABLE shoes ALTER maker TYPE text", "maker", How.RULED),
    contract("ALTER TABLE shoes ALTER tags TYPE text USING tags[1]", "tags", How.RULED),
    contract("ALTER TABLE shoes ENABLE ROW LEVEL SECURITY", "shoes", How.RULED),
)


@pytest.fixture
def shoes(connection: Connection) -> Connection:
    connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    connection.exec_driver_sql(TABLE)
    return connection


def test_each_change_breaks_what_it_should(shoes: Connection) -> None:
    before = read_catalogue(shoes)
    mistaken = []
    for case in CASES:
        savepoint = shoes.begin_nested()
        # The view would be in the way of a type, and goes with a column: it is no matter of the case.
        tables = "cheap" not in case.change and ("TYPE" in case.change or "DROP TABLE" in case.change)
        if tables:
            shoes.exec_driver_sql("DROP VIEW cheap")
        started = read_catalogue(shoes) if tables else before
        shoes.exec_driver_sql(case.change)
        found = tuple((each.identity.name, each.how) for each in breaks(started, read_catalogue(shoes)))
        if found != case.breaks:
            mistaken.append(f"{case.change}: {[(name, how.name) for name, how in found]}")
        savepoint.rollback()
    assert not mistaken, "\n".join(mistaken)
