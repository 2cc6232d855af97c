"""The fingerprint is that of the schema alone: `test_changes.py` has what changes it, this what does not."""

import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Connection, create_engine

from alembic_online.postgres.catalogue.fingerprint import Fingerprint, Scope, read_fingerprint
from alembic_online.postgres.catalogue.version import read_version
from alembic_online.postgres.embedded import program
from tests.alembic_online.postgres.catalogue.small_tables import WORKBENCH
from tests.servers import Server

SCOPE = Scope(("public", "archive"), ("alembic_history",), ("legacy_*", "archive.old"), ("vector",))
# Of everything that is hashed in one branch of the query.
RICH = """
CREATE SCHEMA archive;
CREATE EXTENSION vector;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN slug AS text CHECK (value IN ('a', 'b'));
CREATE TYPE point3 AS (x int, y int);
CREATE SEQUENCE free START 5;
CREATE TABLE authors (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood mood DEFAULT 'good', gone int, name slug UNIQUE,
    short varchar(3) CHECK (short IN ('a', 'b')), at timestamptz DEFAULT now(), v vector(3),
    upper text GENERATED ALWAYS AS (upper(name)) STORED
);
ALTER TABLE authors DROP gone, ADD last numeric(9, 2) NOT NULL DEFAULT 0;
CREATE TABLE archive.books (id serial, author int REFERENCES authors ON DELETE CASCADE);
CREATE INDEX ON archive.books (author) WHERE author > 3;
CREATE VIEW names AS SELECT name, mood FROM authors;
CREATE MATERIALIZED VIEW moods AS SELECT mood, count(*) FROM authors GROUP BY mood;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
CREATE TRIGGER touch BEFORE UPDATE ON authors FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE authors ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON authors FOR SELECT USING (name = current_user);
CREATE TABLE events (day date) PARTITION BY RANGE (day);
COMMENT ON TABLE authors IS 'people'; COMMENT ON COLUMN authors.name IS 'theirs';
GRANT SELECT ON authors TO pg_monitor; GRANT UPDATE (name) ON authors TO pg_monitor;
"""
NO_CHANGE = {
    "rows and statistics": "INSERT INTO authors (name) VALUES ('a'); ANALYZE",
    "a column that comes and goes": "ALTER TABLE authors ADD x int; ALTER TABLE authors DROP x",
    "a table written again": "CLUSTER authors USING authors_pkey; ALTER TABLE authors SET WITHOUT CLUSTER",
    "a table of the migrations": "CREATE TABLE alembic_history (id serial PRIMARY KEY, x int CHECK (x > 1))",
    "what is left alone": "CREATE TABLE legacy_a (id serial PRIMARY KEY); CREATE TABLE archive.old (id int)",
    "another schema": "CREATE SCHEMA other CREATE TABLE t (id int)",
    "a partition": "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "an index of a partition": "CREATE TABLE e PARTITION OF events DEFAULT; CREATE INDEX ON e (day)",
    "a new version of an extension": "ALTER EXTENSION vector UPDATE",
    "a grant that is taken back": "GRANT ALL ON names TO pg_monitor; REVOKE ALL ON names FROM pg_monitor",
    "a sequence that goes on": "SELECT nextval('free')",
}


@pytest.fixture
def rich(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(WORKBENCH + RICH)
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize("what", NO_CHANGE)
def test_what_changes_no_schema_of_the_scope_leaves_it_as_it_is(rich: Connection, what: str) -> None:
    before = read_fingerprint(rich, SCOPE)
    for statement in NO_CHANGE[what].split("; "):
        rich.exec_driver_sql(statement)
    assert read_fingerprint(rich, SCOPE) == before


def test_it_is_the_same_after_a_dump_and_its_restoring(rich: Connection, database: str, server: Server) -> None:
    if server.version != 18:
        pytest.skip("the pg_dump of the wheel is of PostgreSQL 18, and prints for the newest server")
    command = [str(program("pg_dump")), "--inserts", "--dbname", database]
    dumped = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    with server.database() as other:
        with psycopg.connect(other, autocommit=True) as session:
            session.execute("\n".join(line for line in dumped.splitlines() if line[:1] != "\\").encode())
        assert _of(other) == read_fingerprint(rich, SCOPE)


def test_the_version_stays_while_nothing_is_written_and_is_another_one_after_anything(rich: Connection) -> None:
    before = read_version(rich)
    rich.exec_driver_sql("INSERT INTO authors (name) VALUES ('a')")
    rich.exec_driver_sql("ANALYZE authors")
    assert read_version(rich) == before
    rich.exec_driver_sql("COMMENT ON COLUMN authors.name IS 'mine'")
    assert read_version(rich) != before


def _of(url: str) -> Fingerprint:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        found = read_fingerprint(connection, SCOPE)
    engine.dispose()
    return found
