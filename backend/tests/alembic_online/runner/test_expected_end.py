"""What the lines of a revision say is held against the catalogue: what is not so is said, and nothing else."""

import asyncio
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from alembic_online.postgres.locks.reader import texts
from alembic_online.runner.catalogue_facts import read_facts
from alembic_online.runner.expected_end import ExpectedEnd, types_of
from tests.alembic_online.project import Project
from tests.servers import Server

GROUND = """
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE author (id integer PRIMARY KEY, name varchar(20), CONSTRAINT uq_name UNIQUE (name));
    CREATE TABLE book (id serial PRIMARY KEY, author integer REFERENCES author, pages integer DEFAULT 7, mood mood);
    CREATE INDEX ix_pages ON book (pages);
    CREATE VIEW short AS SELECT id, pages FROM book;
    CREATE SCHEMA there; CREATE TABLE there.book (place text, pages integer)
"""


class Hand(NamedTuple):
    """What somebody does after these lines, and what is said of it."""

    lines: str
    hand: str
    said: list[str]


MISSED = [
    Hand("CREATE TABLE shop (id integer)", "DROP TABLE shop", ["shop is missing"]),
    Hand("CREATE TABLE shop (id integer, town text)", "ALTER TABLE shop DROP town", ["column town of shop is missing"]),
    Hand("ALTER TABLE book ADD place text", "ALTER TABLE book DROP place", ["column place of book is missing"]),
    Hand(
        "ALTER TABLE book ADD a text; ALTER TABLE book RENAME a TO b",
        "ALTER TABLE book RENAME b TO a",
        ["column a of book is there still", "column b of book is missing"],
    ),
    Hand(
        "ALTER TABLE book DROP pages CASCADE",
        "ALTER TABLE book ADD pages text",
        ["column pages of book is there still"],
    ),
    Hand("CREATE INDEX ix ON book (author)", "DROP INDEX ix", ["ix is missing"]),
    Hand("DROP INDEX ix_pages", "CREATE INDEX ix_pages ON book (pages)", ["ix_pages is there still"]),
    Hand("DROP VIEW short", "CREATE VIEW short AS SELECT 1", ["short is there still"]),
    Hand(
        "ALTER TABLE book ADD CONSTRAINT ck CHECK (pages > 0)",
        "ALTER TABLE book DROP CONSTRAINT ck",
        ["constraint ck of book is missing"],
    ),
    Hand(
        "ALTER TABLE author DROP CONSTRAINT uq_name",
        "ALTER TABLE author ADD CONSTRAINT uq_name UNIQUE (name)",
        ["constraint uq_name of author is there still"],
    ),
    Hand("CREATE TYPE size AS ENUM ('s')", "DROP TYPE size", ["size is missing"]),
    Hand(
        "ALTER TYPE mood ADD VALUE 'it''s'",
        "ALTER TYPE mood RENAME VALUE 'it''s' TO 'no'",
        ["label 'it''s' of mood is missing"],
    ),
    Hand(
        "ALTER TYPE mood RENAME VALUE 'bad' TO 'poor'",
        "ALTER TYPE mood RENAME VALUE 'poor' TO 'bad'",
        ["label 'bad' of mood is there still", "label 'poor' of mood is missing"],
    ),
    Hand(
        "ALTER TABLE book ALTER pages SET NOT NULL",
        "ALTER TABLE book ALTER pages DROP NOT NULL",
        ["column pages of book may be NULL"],
    ),
    Hand(
        "ALTER TABLE book ALTER pages SET NOT NULL; ALTER TABLE book ALTER pages DROP NOT NULL",
        "ALTER TABLE book ALTER pages SET NOT NULL",
        ["column pages of book is NOT NULL still"],
    ),
    Hand(
        "ALTER TABLE book ALTER author SET DEFAULT 1",
        "ALTER TABLE book ALTER author DROP DEFAULT",
        ["column author of book has no default"],
    ),
    Hand(
        "ALTER TABLE book ALTER pages DROP DEFAULT",
        "ALTER TABLE book ALTER pages SET DEFAULT 1",
        ["column pages of book has a default still"],
    ),
    Hand(
        "ALTER TABLE book ADD n numeric(8, 2) DEFAULT 0 NOT NULL",
        "ALTER TABLE book ALTER n TYPE numeric(9, 3), ALTER n DROP NOT NULL, ALTER n DROP DEFAULT",
        [
            "column n of book is numeric(9,3), and not numeric ( 8 , 2 )",
            "column n of book may be NULL",
            "column n of book has no default",
        ],
    ),
    Hand(
        'ALTER TABLE author ALTER COLUMN name TYPE VARCHAR(30) COLLATE "C"',
        "ALTER TABLE author ALTER name TYPE varchar(20)",
        ["column name of author is character varying(20), and not VARCHAR ( 30 )"],
    ),
    Hand(
        "ALTER TABLE book RENAME TO volume; ALTER TABLE volume ADD place text",
        "ALTER TABLE volume DROP place",
        ["column place of volume is missing"],
    ),
    Hand("CREATE POLICY own ON book", "DROP POLICY own ON book", ["policy own of book is missing"]),
]
SO = [
    "ALTER TABLE book ADD a text, ADD b text; CREATE INDEX ix_a ON book (a); ALTER TABLE book DROP a",
    "CREATE TABLE shop (id integer, town text UNIQUE); CREATE INDEX ix ON shop (town); DROP TABLE shop",
    "CREATE VIEW one AS SELECT id FROM book; CREATE VIEW two AS SELECT id FROM one; DROP VIEW one CASCADE",
    "CREATE VIEW one AS SELECT pages FROM book; DROP VIEW one; DROP VIEW short; ALTER TABLE book DROP pages",
    "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (a integer REFERENCES a); DROP TABLE a CASCADE",
    "CREATE TEMP TABLE t (a integer); ALTER TABLE t ADD b text; CREATE INDEX ix_t ON t (b)",
    "CREATE TABLE pg_temp.t (a integer); ALTER TABLE t ADD b text",
    "CREATE TABLE shop (id integer); ALTER TABLE shop SET SCHEMA there",
    "CREATE TABLE shop (id integer); ALTER TABLE shop RENAME TO store; CREATE INDEX ix ON store (id); DROP TABLE store",
    "CREATE INDEX a ON book (author); ALTER INDEX a RENAME TO b",
    "CREATE UNIQUE INDEX a ON book (author); ALTER TABLE book ADD CONSTRAINT b UNIQUE USING INDEX a",
    "CREATE UNIQUE INDEX a ON book (author); ALTER TABLE book ADD CONSTRAINT a UNIQUE USING INDEX a;"
    "ALTER TABLE book DROP CONSTRAINT a",
    "ALTER TABLE author RENAME CONSTRAINT uq_name TO uq; ALTER INDEX uq RENAME TO uq_other",
    "ALTER TABLE author DROP CONSTRAINT uq_name; ALTER TABLE author ADD CONSTRAINT uq_name CHECK (name <> '')",
    "ALTER TABLE author DROP CONSTRAINT author_pkey CASCADE; ALTER TABLE author ADD PRIMARY KEY (id)",
    "DROP INDEX ix_pages; ALTER TABLE book ADD CONSTRAINT ix_pages UNIQUE (pages)",
    "ALTER TABLE book ALTER pages DROP NOT NULL; ALTER TABLE book ADD UNIQUE (pages), ALTER pages SET DEFAULT NULL",
    "ALTER TABLE book ADD n integer; ALTER TABLE book ALTER n SET NOT NULL;"
    "ALTER TABLE book ALTER n ADD GENERATED ALWAYS AS IDENTITY",
    "CREATE TYPE size AS ENUM ('s'); ALTER TABLE book ADD size size; ALTER TYPE size RENAME TO size_old;"
    "CREATE TYPE size AS ENUM ('s', 'm'); ALTER TABLE book ALTER size TYPE size USING size::text::size;"
    "DROP TYPE size_old",
    "CREATE TYPE size AS ENUM ('s'); ALTER TABLE book ADD size size DEFAULT 's' NOT NULL; DROP TYPE size CASCADE",
    "DO $$ BEGIN CREATE TABLE shop (id integer); END $$; ALTER TABLE shop ADD a text;"
    "DO $$ BEGIN ALTER TABLE shop DROP a; END $$",
    "CREATE FUNCTION tidy() RETURNS void LANGUAGE sql AS 'DROP TABLE shop'; CREATE TABLE shop (id integer);"
    "SELECT tidy()",
    "CREATE TABLE shop (id integer); DO $$ BEGIN EXECUTE 'DROP TABLE sh' || 'op'; END $$",
    "ALTER TABLE book ADD a char, ADD b float(20), ADD c timestamp(3), ADD d interval day to second(2), ADD e bit(3),"
    "ADD f double precision, ADD g numeric(5), ADD h varchar(3)[], ADD i decimal, ADD j timestamptz, ADD k bpchar,"
    'ADD l "char", ADD m pg_catalog.int8, ADD n smallserial, ADD o text COLLATE "C" DEFAULT \'x\' NOT NULL',
    "ALTER TABLE book ADD IF NOT EXISTS pages text DEFAULT 'x' NOT NULL",
    "CREATE TABLE IF NOT EXISTS book (id integer, other text)",
    "CREATE TABLE base (a integer); CREATE TABLE kid (a integer, b text) INHERITS (base);"
    "ALTER TABLE kid ALTER a SET DEFAULT 1; ALTER TABLE base RENAME a TO c; ALTER TABLE base DROP c",
    "CREATE TABLE whole (id integer, at date) PARTITION BY RANGE (at);"
    "CREATE TABLE part PARTITION OF whole FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    "CREATE INDEX ix_at ON whole (at); ALTER TABLE whole ADD a text; DROP TABLE whole",
    'CREATE TABLE "Shop" ("Id" integer, id integer); ALTER TABLE "Shop" DROP COLUMN "Id"',
    "CREATE SCHEMA other CREATE TABLE shop (id integer); DROP SCHEMA other CASCADE",
    "CREATE SEQUENCE s; ALTER SEQUENCE s OWNED BY book.pages; ALTER TABLE book DROP pages CASCADE",
    "CREATE EXTENSION vector; CREATE TABLE shop (v vector(3)); DROP EXTENSION vector CASCADE",
    "ALTER TABLE book ADD CHECK (pages > 0); ALTER TABLE book RENAME CONSTRAINT book_pages_check TO positive",
    "CREATE INDEX ON book (author); ALTER INDEX book_author_idx RENAME TO ix_author",
    "CREATE MATERIALIZED VIEW m AS SELECT id FROM book; CREATE UNIQUE INDEX ix_m ON m (id); DROP MATERIALIZED VIEW m",
    "CREATE RULE r AS ON DELETE TO book DO INSTEAD NOTHING; CREATE STATISTICS st ON id, pages FROM book",
    "ALTER TYPE mood RENAME TO temper; ALTER TYPE temper ADD VALUE 'calm'; ALTER TABLE book ADD t temper",
    "SET search_path TO there; ALTER TABLE book DROP place; CREATE TABLE shop (id integer)",
    "ALTER TABLE book ADD a integer CHECK (a IS NOT NULL OR pages IS NULL), ADD b bool GENERATED ALWAYS AS"
    " (pages IS NOT"
    " NULL) STORED, ADD c integer REFERENCES author ON DELETE SET DEFAULT, ADD d integer DEFAULT (NULL), ADD e integer"
    " DEFAULT CAST(NULL AS integer) NULL, ADD f text DEFAULT 'NOT NULL'",
    "ALTER TABLE book ALTER pages SET DEFAULT (NULL); ALTER TABLE author ALTER name SET DEFAULT CAST(NULL AS text)",
    "CREATE POLICY own ON book; ALTER POLICY own ON book RENAME TO other",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER one BEFORE UPDATE"
    " ON book FOR EACH ROW EXECUTE FUNCTION f(); ALTER TRIGGER one ON book RENAME TO two",
    "ALTER TABLE IF EXISTS no RENAME TO other; ALTER VIEW IF EXISTS no RENAME TO v; ALTER INDEX IF EXISTS no"
    " RENAME TO i",
    "ALTER TABLE book ADD a integer; ALTER TABLE book RENAME a TO b; ALTER TABLE book ADD a text; ALTER TABLE"
    " book DROP b;"
    "ALTER TABLE book RENAME a TO b",
    "ALTER TABLE book RENAME TO book_old; CREATE TABLE book (LIKE book_old INCLUDING ALL); DROP TABLE book_old CASCADE;"
    "ALTER TABLE book ADD b text; CREATE INDEX ix_pages ON book (pages)",
    "ALTER INDEX ix_pages RENAME TO ix_old; CREATE INDEX ix_pages ON book (pages, id); DROP INDEX ix_old",
    "ALTER TABLE author RENAME CONSTRAINT uq_name TO uq_old; ALTER TABLE author ADD CONSTRAINT uq_name UNIQUE"
    " (name, id);"
    "ALTER TABLE author DROP CONSTRAINT uq_old",
    "ALTER TABLE book DROP CONSTRAINT IF EXISTS no, ADD CONSTRAINT no CHECK (true)",
    "ALTER SEQUENCE book_id_seq RENAME TO s; ALTER TABLE book DROP id CASCADE",
    "CREATE OR REPLACE VIEW short AS SELECT id, pages FROM book; ALTER VIEW short RENAME TO s; ALTER VIEW s SET SCHEMA"
    " there",
    "ALTER TABLE there.book ADD a integer NOT NULL; ALTER TABLE book ADD a text; ALTER TABLE there.book ALTER a"
    " DROP NOT"
    " NULL",
    'ALTER TABLE book ADD "default" integer, ADD "check" text, ADD type text, ADD value integer; ALTER TABLE book DROP'
    ' "check", ALTER "default" SET DEFAULT 3',
    "CREATE TYPE pair AS (a integer, b text); ALTER TYPE pair RENAME ATTRIBUTE a TO c; ALTER TYPE pair DROP"
    " ATTRIBUTE b",
    "CREATE DOMAIN fee AS integer DEFAULT 3 NOT NULL; ALTER TABLE author ADD f fee; ALTER DOMAIN fee DROP DEFAULT;"
    "ALTER DOMAIN fee RENAME TO fees; ALTER DOMAIN fees DROP NOT NULL",
    "DROP TABLE book CASCADE; CREATE TABLE book (id integer, CONSTRAINT ix_pages UNIQUE (id))",
    "ALTER TABLE book ALTER id DROP DEFAULT; ALTER TABLE book ALTER id ADD GENERATED ALWAYS AS IDENTITY;"
    "ALTER TABLE book ALTER id DROP IDENTITY",
    "ALTER TYPE mood ADD VALUE 'so-so' BEFORE 'bad'; ALTER TYPE mood ADD VALUE IF NOT EXISTS 'good'",
    "ALTER TABLE book ADD COLUMN a text[] NOT NULL DEFAULT '{}'::text[], ADD b integer[] DEFAULT ARRAY[]::integer[]",
    'ALTER TYPE mood RENAME TO "mood.v4"; ALTER TYPE "mood.v4" RENAME TO "mood.v5"; CREATE TABLE "a.b" (id integer);'
    'ALTER TABLE "a.b" ADD c "mood.v5"; DROP TABLE "a.b"',
]
FROM_18 = [
    "ALTER TABLE book RENAME CONSTRAINT book_id_not_null TO id_there; ALTER TABLE book RENAME TO volume",
    "ALTER TABLE book ADD CONSTRAINT nn NOT NULL pages NOT VALID; ALTER TABLE book VALIDATE CONSTRAINT nn",
    "ALTER TABLE book ADD CONSTRAINT nn NOT NULL pages; ALTER TABLE book DROP CONSTRAINT nn",
]


def missing(url: str, lines: str) -> list[str]:
    async def look() -> list[str]:
        engine = create_async_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            facts = await read_facts(connection, "public.alembic_history")
            assert facts is not None
            expected = ExpectedEnd(each.name.partition("(")[0] for each in facts.objects if each.kind == "function")
            for each in texts(lines):
                expected.follow(each)
            path = None if "search_path" in lines else ["public"]
            found = expected.missing(facts, path, await types_of(connection, expected.types))
        await engine.dispose()
        return found

    return asyncio.run(look())


@pytest.mark.parametrize("case", MISSED, ids=lambda case: case.lines[:40])
def test_what_is_not_as_the_lines_say_is_missed(database: str, watcher: psycopg.Connection, case: Hand) -> None:
    watcher.execute(GROUND.encode())
    for each in texts(case.lines):
        watcher.execute(each.encode())
    assert missing(database, case.lines) == []
    watcher.execute(case.hand.encode())
    assert missing(database, case.lines) == case.said


def test_nothing_is_missed_where_it_went_with_something_else(
    database: str, watcher: psycopg.Connection, server: Server
) -> None:
    for lines in (*SO, *(FROM_18 if server.version >= 18 else ())):
        watcher.execute(b"DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS there CASCADE; CREATE SCHEMA public")
        watcher.execute(GROUND.encode())
        for each in texts(lines):
            watcher.execute(each.encode())
        assert missing(database, lines) == [], lines
        watcher.execute(b"DISCARD ALL")


def test_a_cursor_takes_away_what_a_line_has_made(project: Project, database: str, watcher: psycopg.Connection) -> None:
    watcher.execute("CREATE TABLE book (pages integer)")
    upgrade = """op.create_index("ix_pages", "book", ["pages"])
    op.execute("CREATE TABLE shop (id integer)")
    op.get_bind().execute(sa.text("SELECT FROM shop"))
    op.get_bind().connection.cursor().execute("DROP TABLE shop")"""
    project.revision("001_a", upgrade=upgrade)
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")(database, "upgrade", "head")
    assert watcher.execute("SELECT to_regclass('shop'), to_regclass('ix_pages')::text").fetchone() == (None, "ix_pages")
