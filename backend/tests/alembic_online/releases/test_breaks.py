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
    CREATE DOMAIN word AS text;
    CREATE TABLE labels (id int PRIMARY KEY, "e-mail" text, bits bit(3), counts bigint[], word word, a int,
        doubled int NOT NULL GENERATED ALWAYS AS (a * 2) STORED, CONSTRAINT one_a UNIQUE (a));
    ALTER TABLE labels ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON labels USING (true);
    GRANT SELECT ON labels TO PUBLIC;
    CREATE TABLE years (at date) PARTITION BY RANGE (at);
    CREATE TABLE later PARTITION OF years DEFAULT;
    CREATE VIEW plain AS SELECT id, a AS number FROM labels;
    CREATE FUNCTION twice(n int, m int DEFAULT 2) RETURNS int LANGUAGE sql AS 'SELECT n * m';
    CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
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
    expand("ALTER TABLE shoes ADD a int, ADD b int, ADD UNIQUE (maker, a), ADD UNIQUE (b) INCLUDE (maker)"),
    expand("ALTER TABLE shoes ADD colour text COLLATE \"C\" CHECK (colour IN ('red', 'blue') AND length(colour) > 2)"),
    expand("ALTER TABLE shoes ADD fit size CHECK (fit > 's')"),
    expand("CREATE TABLE t (id int); CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION no()"),
    expand("CREATE OR REPLACE FUNCTION twice(n int, m int DEFAULT 2) RETURNS int LANGUAGE sql AS 'SELECT n + n'"),
    expand("GRANT UPDATE ON labels TO PUBLIC; GRANT UPDATE (word) ON labels TO PUBLIC"),
    expand("CREATE OR REPLACE VIEW plain AS SELECT id, a AS number, word FROM labels"),
    expand(
        "ALTER TABLE labels RENAME TO tags; CREATE VIEW labels AS SELECT * FROM tags; GRANT SELECT ON labels TO PUBLIC"
    ),
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
    contract("ALTER TABLE labels RENAME TO tags; CREATE VIEW labels AS SELECT * FROM tags", "labels", How.GONE),
    contract("ALTER TABLE shoes RENAME TO f; CREATE VIEW shoes AS SELECT DISTINCT * FROM f", "shoes", How.GONE),
    contract("ALTER TABLE shoes RENAME TO f; CREATE VIEW shoes AS SELECT id, name FROM f", "shoes", How.GONE),
    contract("ALTER TABLE years DETACH PARTITION later", "later", How.GONE),
    contract(
        "DROP FUNCTION twice; CREATE FUNCTION twice(n int, m int DEFAULT 2) RETURNS bool LANGUAGE sql AS 'SELECT true'",
        "twice(integer, integer)",
        How.GONE,
    ),
    contract(
        "DROP FUNCTION twice; CREATE FUNCTION twice(n int, m int) RETURNS int LANGUAGE sql AS 'SELECT n * m'",
        "twice(integer, integer)",
        How.GONE,
    ),
    contract("REVOKE EXECUTE ON FUNCTION twice FROM PUBLIC", "twice(integer, integer)", How.GONE),
    contract("REVOKE SELECT ON labels FROM PUBLIC", "labels", How.GONE),
    # its rows do not get in
    contract("ALTER TABLE shoes ADD colour text NOT NULL", "colour", How.REFUSED),
    contract("ALTER TABLE shoes ALTER maker SET NOT NULL", "maker", How.REFUSED),
    contract("ALTER TABLE shoes ALTER code DROP DEFAULT", "code", How.REFUSED),
    contract("ALTER TABLE shoes ALTER price TYPE numeric(6, 2)", "price", How.REFUSED),
    contract("ALTER TABLE shoes ALTER maker TYPE int", "maker", How.REFUSED),
    contract("ALTER TABLE labels ALTER counts TYPE int[]", "counts", How.REFUSED),
    contract("ALTER TABLE shoes ALTER tags TYPE varchar(10)[]", "tags", How.REFUSED),
    contract("ALTER TABLE labels ALTER bits TYPE bit(5) USING bits::bit(5)", "bits", How.REFUSED),
    contract("ALTER TABLE labels ALTER doubled DROP EXPRESSION", "doubled", How.REFUSED),
    # they may break a rule
    contract("ALTER TABLE shoes ALTER price SET NOT NULL", "price", How.RULED),
    contract("ALTER TABLE shoes ALTER price DROP DEFAULT", "price", How.RULED),
    contract("ALTER TABLE shoes ADD CONSTRAINT k FOREIGN KEY (maker) REFERENCES makers NOT VALID", "k", How.RULED),
    contract("ALTER TABLE shoes ADD CONSTRAINT dear CHECK (price > 0)", "dear", How.RULED),
    contract("ALTER TABLE shoes ADD CONSTRAINT u UNIQUE (maker, at)", "u", How.RULED),
    contract("CREATE UNIQUE INDEX u ON shoes (maker)", "u", How.RULED),
    contract("ALTER TABLE shoes ADD x int, ADD y int, ADD CONSTRAINT c CHECK (num_nonnulls(x, y) = 1)", "c", How.RULED),
    contract("ALTER TABLE shoes ADD x int CONSTRAINT c CHECK (x IS NOT NULL)", "c", How.RULED),
    contract("ALTER TABLE shoes ADD x int CONSTRAINT c CHECK (coalesce(x, 0) > 0)", "c", How.RULED),
    contract("ALTER TABLE shoes ADD x int DEFAULT 0 CONSTRAINT c CHECK (x > 0)", "c", How.RULED),
    contract("ALTER TABLE shoes ADD x int, ADD CONSTRAINT c CHECK (x > price)", "c", How.RULED),
    contract("ALTER TABLE shoes ADD slug text NOT NULL DEFAULT '' CONSTRAINT u UNIQUE", "u", How.RULED),
    contract("ALTER TABLE shoes ADD x int CONSTRAINT u UNIQUE NULLS NOT DISTINCT", "u", How.RULED),
    contract("ALTER TABLE shoes ADD x int; CREATE UNIQUE INDEX u ON shoes (coalesce(x, 0))", "u", How.RULED),
    contract("ALTER TABLE shoes ADD x int, ADD CONSTRAINT u UNIQUE (maker) INCLUDE (x)", "u", How.RULED),
    contract("ALTER TABLE shoes ADD m bigint NOT NULL DEFAULT 1 CONSTRAINT k REFERENCES makers", "k", How.RULED),
    contract('ALTER TABLE labels ADD CONSTRAINT u UNIQUE ("e-mail")', "u", How.RULED),
    contract("""ALTER TABLE labels ADD CONSTRAINT c CHECK ("e-mail" <> '')""", "c", How.RULED),
    Case(
        "ALTER TABLE labels ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a), DROP CONSTRAINT one_a",
        (("one_a", How.GONE), ("u", How.RULED)),
    ),
    contract("CREATE UNIQUE INDEX u ON labels (a) NULLS NOT DISTINCT", "u", How.RULED),
    contract("ALTER DOMAIN word SET NOT NULL", "word", How.RULED),
    contract("ALTER DOMAIN word ADD CONSTRAINT c CHECK (length(value) > 3)", "c", How.RULED),
    contract("CREATE TRIGGER r BEFORE INSERT ON shoes FOR EACH ROW EXECUTE FUNCTION no()", "r", How.RULED),
    contract("CREATE RULE r AS ON INSERT TO shoes DO INSTEAD NOTHING", "r", How.RULED),
    contract("ALTER POLICY own ON labels USING (id > 100)", "own", How.RULED),
    contract("ALTER TABLE labels FORCE ROW LEVEL SECURITY", "labels", How.RULED),
    contract("ALTER VIEW plain SET (check_option = local)", "plain", How.RULED),
    contract("CREATE OR REPLACE VIEW plain AS SELECT DISTINCT id, a AS number FROM labels", "plain", How.RULED),
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
