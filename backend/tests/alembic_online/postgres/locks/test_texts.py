"""Where one statement ends and the next begins: PostgreSQL is asked, by running each text alone."""

import psycopg
import pytest

from alembic_online.postgres.locks.reader import texts

SCRIPT = r"""
    -- a comment with a ; in it
    CREATE TABLE "semi;colon" (a int, b text DEFAULT 'a;b''; c', c bytea);
    /* nested /* ; */ ; */ CREATE INDEX ix ON "semi;colon" (a);;
    CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN PERFORM $$;$$; RETURN 1; END $body$;
    CREATE FUNCTION g(a int) RETURNS int LANGUAGE sql
        BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN CASE a WHEN 2 THEN 1 END ELSE 2 END; SELECT 2; END;
    CREATE RULE r AS ON DELETE TO "semi;colon" DO ALSO (SELECT 1; SELECT 2);
    INSERT INTO "semi;colon" VALUES (1, E'it\'s; \\', '\x3b'); -- ; behind
    DO $$ BEGIN UPDATE "semi;colon" SET a = f() + g(1); END $$ ;
    SELECT U&'\003b;' || $x$;$x$, ARRAY[1, 2] /* ; */
"""


def test_each_statement_is_cut_out_whole(database: str) -> None:
    found = texts(SCRIPT)
    with psycopg.connect(database) as session:
        for each in found:
            session.execute(each, prepare=True)  # the server takes one at a time then
    assert [each.split()[0] for each in found] == [
        *["CREATE"] * 5,
        "INSERT",
        "DO",
        "SELECT",
    ]


@pytest.mark.parametrize("sql", ["SELECT 1; -- done; \n", "/* a;b */ SELECT 1", "SELECT 'a;b", "-- nothing;", ""])
def test_a_single_statement_stays_as_it_is(sql: str) -> None:
    assert texts(sql) == [sql]
