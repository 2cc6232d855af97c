"""What a second look reads is what reading everything would have read, whatever was done between the two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from alembic_online.runner.catalogue_facts import read_facts
from alembic_online.runner.facts import Facts, changes

GROUND = """\
CREATE TYPE mood AS ENUM ('good', 'bad')
CREATE DOMAIN short AS mood
CREATE DOMAIN ruled AS integer CHECK (VALUE > 0)
CREATE TYPE pair AS (one integer, other mood)
CREATE FUNCTION doubled(integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN $1 * 2
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'
CREATE TABLE author (id integer PRIMARY KEY, name text, mood mood, moods mood[], UNIQUE (name))
CREATE TABLE book (id serial PRIMARY KEY, author integer REFERENCES author, pages integer CHECK (doubled(pages) > 0))
CREATE INDEX book_doubled ON book (doubled(pages))
CREATE TABLE apart (id integer, by author)
CREATE FUNCTION first_of(mood) RETURNS SETOF author LANGUAGE sql AS 'SELECT * FROM author'
CREATE VIEW books AS SELECT b.id, a.name FROM book b JOIN author a ON a.id = b.author
CREATE MATERIALIZED VIEW counted AS SELECT author, count(*) FROM book GROUP BY 1
CREATE TRIGGER fire BEFORE UPDATE ON book FOR EACH ROW EXECUTE FUNCTION fire()
CREATE POLICY own ON book USING (doubled(id) > 0)"""
STEPS = """\
ALTER DOMAIN ruled RENAME TO bound
ALTER TABLE author RENAME TO writer
ALTER TABLE writer RENAME name TO title
ALTER TABLE writer RENAME mood TO was; ALTER TABLE writer RENAME moods TO mood; ALTER TABLE writer RENAME was TO moods
ALTER TYPE mood RENAME TO temper
ALTER TYPE temper RENAME VALUE 'bad' TO 'worse'
ALTER TYPE temper ADD VALUE 'worst'
ALTER TYPE pair RENAME ATTRIBUTE one TO first
ALTER FUNCTION doubled(integer) RENAME TO twice
ALTER FUNCTION fire() RENAME TO run
CREATE OR REPLACE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN $1 + $1
ALTER TABLE book ADD COLUMN price numeric(6, 2) DEFAULT 1, ADD CONSTRAINT cheap CHECK (price < 100) NOT VALID
ALTER TABLE book VALIDATE CONSTRAINT cheap
ALTER TABLE book ALTER price TYPE numeric(8, 2), ALTER price SET NOT NULL, ALTER price DROP DEFAULT
ALTER TABLE book DISABLE TRIGGER fire
CREATE INDEX CONCURRENTLY book_price ON book (price)
ALTER INDEX book_price RENAME TO by_price
DROP INDEX by_price
ALTER POLICY own ON book RENAME TO mine
ALTER TABLE book ENABLE ROW LEVEL SECURITY
ALTER SEQUENCE book_id_seq AS bigint
COMMENT ON COLUMN book.pages IS 'of all volumes'
COMMENT ON TABLE book IS 'printed'
GRANT SELECT, UPDATE ON book TO PUBLIC
REVOKE UPDATE ON book FROM PUBLIC
CREATE STATISTICS dependent ON author, pages FROM book
CREATE RULE ignored AS ON DELETE TO apart DO INSTEAD NOTHING
CREATE TABLE parts (id integer) PARTITION BY LIST (id); CREATE TABLE part (id integer)
ALTER TABLE parts ATTACH PARTITION part FOR VALUES IN (1)
DROP POLICY mine ON book
ALTER TABLE writer RENAME CONSTRAINT author_name_key TO once
ALTER SEQUENCE book_id_seq RENAME TO book_numbers
ALTER TABLE apart RENAME TO gone; CREATE TABLE apart (id integer, by writer)
CREATE SCHEMA other
ALTER TABLE writer SET SCHEMA other
ALTER TYPE temper SET SCHEMA other
ALTER SCHEMA other RENAME TO third
CREATE OR REPLACE VIEW books AS SELECT b.id, a.title AS name FROM book b JOIN third.writer a ON a.id > b.author
VACUUM FREEZE pg_class; VACUUM FULL pg_attribute; ANALYZE
DROP TABLE book CASCADE
DROP TABLE third.writer CASCADE"""


def test_a_second_look_reads_what_a_first_one_would(database: str) -> None:
    async def run() -> None:
        async with on_its_ground(database) as connection:
            known = await look(connection)
            for step in STEPS.splitlines():
                await execute(connection, step.replace("; ", "\n"))
                again, whole = await look(connection, known), await look(connection)
                assert (again.objects, again.numbers) == (whole.objects, whole.numbers), step
                by_key = {key: reading.numbers for key, reading in whole.readings.items()}
                assert {key: reading.numbers for key, reading in again.readings.items()} == by_key, step
                assert changes(known, again) == changes(known, whole), step
                assert changes(known, again) or step.startswith("VACUUM"), step
                known = again

    asyncio.run(run())


def test_what_has_not_changed_is_not_read_again(database: str) -> None:
    async def run() -> set[str]:
        async with on_its_ground(database) as connection:
            known = await look(connection)
            await execute(connection, "ALTER TABLE book ADD COLUMN price integer")
            again = (await look(connection, known)).readings
            fresh = [reading for key, reading in again.items() if reading is not known.readings.get(key)]
            return {identity.name for reading in fresh for identity in reading.numbers if not identity.table}

    assert asyncio.run(run()) == {"book"}


@asynccontextmanager
async def on_its_ground(database: str) -> AsyncIterator[AsyncConnection]:
    url = make_url(database).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await execute(connection, GROUND)
            yield connection
    finally:
        await engine.dispose()


async def execute(connection: AsyncConnection, statements: str) -> None:
    for statement in statements.splitlines():
        await connection.exec_driver_sql(statement)


async def look(connection: AsyncConnection, known: Facts | None = None) -> Facts:
    facts = await read_facts(connection, "public.alembic_history", known)
    assert facts is not None
    return facts
