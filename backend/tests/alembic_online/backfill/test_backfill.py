"""A backfill gives every row its value, whatever the key, and changes nothing that is right already."""

import json
from typing import Any

import psycopg
import pytest

from alembic_online.backfill.definition import Backfill
from alembic_online.errors import RequestRefused
from tests.alembic_online.backfill.running import run

KEYS = {
    "int": "id int PRIMARY KEY",
    "uuid": "id uuid DEFAULT gen_random_uuid() PRIMARY KEY",
    "text": 'id text COLLATE "C" PRIMARY KEY',
    "timestamptz": "id timestamptz PRIMARY KEY",
    "composite": 'id int, "Part: two" varchar(9), PRIMARY KEY ("Part: two", id)',
    "unique": "id int NOT NULL UNIQUE, other int UNIQUE",
    "partitioned": "id int PRIMARY KEY",
}
FILL = {
    "int": "(id) SELECT i FROM generate_series(-500, 2000) i",
    "uuid": "SELECT FROM generate_series(0, 2500)",
    "text": "(id) SELECT chr(64 + i % 60) || i FROM generate_series(0, 2500) i",
    "timestamptz": "(id) SELECT '-infinity'::timestamptz UNION SELECT now() + i * '1 us'::interval"
    " FROM generate_series(1, 2500) i",
    "composite": "(id, \"Part: two\") SELECT i, 'ab:' || i % 7 FROM generate_series(0, 2500) i",
    "unique": "(id) SELECT i FROM generate_series(0, 2500) i",
    "partitioned": "(id) SELECT i FROM generate_series(0, 2500) i",
}


@pytest.mark.parametrize("key", KEYS)
def test_every_row_is_reached_whatever_the_key(session: psycopg.Connection, database: str, key: str) -> None:
    partitioned = key == "partitioned"
    session.execute(f"CREATE TABLE books ({KEYS[key]}, v text) {'PARTITION BY RANGE (id)' if partitioned else ''}")
    if partitioned:
        session.execute("CREATE TABLE books_1 PARTITION OF books FOR VALUES FROM (0) TO (1000)")
        session.execute("CREATE TABLE books_2 PARTITION OF books DEFAULT")
    session.execute(f"INSERT INTO books {FILL[key]}")
    (*_, last) = run(database, Backfill(table="books", values={"v": "id::text || ':x'"}))
    assert last.progress.finished
    assert (last.progress.changed, last.progress.walked) == (2501, 2501)
    assert session.execute("SELECT count(*) FROM books WHERE v IS DISTINCT FROM id::text || ':x'").fetchone() == (0,)


def versions(session: psycopg.Connection, table: str = "books") -> list[Any]:
    """Which version of each row there is: a changed one has another xmin."""
    return session.execute(f"SELECT id, xmin::text FROM {table} ORDER BY id").fetchall()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", "id * 2"),
        ("numeric(10, 2)", "id / 3.0"),
        ("varchar(20)", "'a:b' || id"),
        ("json", "json_build_object('id', id)"),
        ("jsonb", """'{"k": 1}'"""),
        ("point", "point(id, 1)"),
        ("text[]", "ARRAY[id::text, NULL]"),
        ("timestamp(0)", "to_timestamp(id + 0.5)"),
        ("int", "NULL"),
    ],
)
def test_a_second_run_changes_no_row(session: psycopg.Connection, database: str, kind: str, value: str) -> None:
    session.execute(f"CREATE TABLE books (id int PRIMARY KEY, v {kind})")
    session.execute("INSERT INTO books SELECT i FROM generate_series(1, 200) i")
    definition = Backfill(table="books", values={"v": value})
    run(database, definition)
    before = versions(session)
    session.execute("DELETE FROM alembic_backfill")
    run(database, definition)
    assert versions(session) == before


def test_a_value_that_is_equal_and_not_the_same_is_changed(session: psycopg.Connection, database: str) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, price numeric)")
    session.execute("INSERT INTO books VALUES (1, 12)")
    run(database, Backfill(table="books", values={"price": "round(price, 2)"}))
    assert session.execute("SELECT price::text FROM books").fetchone() == ("12.00",)


def test_a_value_that_does_not_fit_is_refused_by_the_server_and_not_cut_off(
    session: psycopg.Connection, database: str
) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, v varchar(3))")
    session.execute("INSERT INTO books VALUES (1)")
    with pytest.raises(Exception, match="value too long"):
        run(database, Backfill(table="books", values={"v": "'abcd'"}))


def test_rows_that_come_behind_the_place_that_is_worked_on_are_not_missed(
    session: psycopg.Connection, database: str
) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, v int)")
    session.execute("INSERT INTO books SELECT i FROM generate_series(1, 5000) i")
    # Each batch that sees the last row for the first time adds one before the first row, and undoes one that was done.
    session.execute(
        """
        CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.id = 5000 THEN
                INSERT INTO books VALUES (-1) ON CONFLICT DO NOTHING;
                UPDATE books SET v = NULL WHERE id = 1;
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER meddle AFTER UPDATE ON books FOR EACH ROW EXECUTE FUNCTION meddle()
        """
    )
    (*_, last) = run(database, Backfill(table="books", values={"v": "id"}))
    assert session.execute("SELECT count(*) FROM books WHERE v IS DISTINCT FROM id").fetchone() == (0,)
    assert last.progress.passes > 1


def test_several_workers_share_the_slices_and_none_does_a_row_twice(session: psycopg.Connection, database: str) -> None:
    session.execute("CREATE TABLE books (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), v int DEFAULT 0)")
    session.execute("INSERT INTO books SELECT FROM generate_series(1, 150000)")
    definition = Backfill(table="books", values={"v": "v + 1"}, where="v = 0")
    (*_, last) = run(database, definition, workers=3)
    assert session.execute("SELECT DISTINCT v FROM books").fetchall() == [(1,)]
    assert session.execute("SELECT count(*) FROM alembic_backfill").fetchone() == (3,)
    assert last.progress.walked == 150000


def test_a_function_computes_the_values_of_any_type(session: psycopg.Connection, database: str) -> None:
    session.execute("CREATE TABLE books (id uuid PRIMARY KEY, title text, words text[], facts jsonb, cover bytea)")
    session.execute("INSERT INTO books SELECT gen_random_uuid(), 'book ' || i FROM generate_series(1, 1500) i")

    async def look(rows: Any) -> Any:
        return [
            {"words": row["title"].split(), "facts": {"of": row["id"]}, "cover": row["title"].encode()} for row in rows
        ]

    run(database, Backfill(table="books", function=look, reads=("title",), where="words IS NULL"))
    wrong = "words <> string_to_array(title, ' ') OR facts ->> 'of' <> id::text OR cover <> convert_to(title, 'UTF8')"
    assert session.execute(f"SELECT count(*) FROM books WHERE ({wrong}) IS NOT false").fetchone() == (0,)


def test_a_row_that_changes_while_a_function_computes_gets_the_value_of_what_it_has_become(
    session: psycopg.Connection, database: str
) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, title text, length int)")
    session.execute("INSERT INTO books SELECT i, 'x' FROM generate_series(1, 10) i")

    def measure(rows: Any) -> Any:
        session.execute("UPDATE books SET title = 'longer' WHERE id = 5 AND title = 'x'")
        return [{"length": len(row["title"])} for row in rows]

    run(database, Backfill(table="books", function=measure, reads=("title",), where="length IS NULL"))
    assert session.execute("SELECT count(*) FROM books WHERE length = length(title)").fetchone() == (10,)


def nothing(rows: Any) -> Any:
    return [{} for _ in rows]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no such table": ({"table": "shelves", "values": {"v": "1"}}, "There is no table shelves"),
    "no such column": ({"values": {"w": "1"}}, "has no column 'w'"),
    "its own key": ({"values": {"id": "id + 1"}}, "changes the key that it walks by"),
    "no key": ({"table": "heap", "values": {"v": "1"}}, "has no primary key"),
    "a new value each time": ({"values": {"v": "random() * 1000000"}}, "are new each time"),
    "nothing to fill": ({}, "has neither values and a function"),
    "a function without a condition": ({"function": nothing}, "does not say which rows need it"),
    "a function that is not there": (
        {"function": "tests.alembic_online.backfill:no", "where": "v IS NULL"},
        "cannot be imported",
    ),
    "a function of too few words": ({"function": lambda rows: rows[1:], "where": "v IS NULL"}, "returned 2 rows for 3"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_in_words(session: psycopg.Connection, database: str, case: str) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, v int); CREATE TABLE heap (v int)")
    session.execute("INSERT INTO books VALUES (1), (2), (3)")
    given, words = REFUSED[case]
    with pytest.raises(RequestRefused, match=words.replace("(", r"\(")):
        run(database, Backfill(**{"table": "books", **given}))
    assert session.execute("SELECT count(v) FROM books").fetchone() == (0,)


def test_new_values_each_time_are_fine_for_rows_that_have_none(session: psycopg.Connection, database: str) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, token uuid)")
    session.execute("INSERT INTO books SELECT i FROM generate_series(1, 100) i")
    run(database, Backfill(table="books", values={"token": "gen_random_uuid()"}, where="token IS NULL"))
    assert session.execute("SELECT count(DISTINCT token) FROM books").fetchone() == (100,)


def test_what_is_kept_of_it_says_all_that_another_machine_needs(session: psycopg.Connection, database: str) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, v int)")
    definition = Backfill(table="books", values={"v": "1"}, where="v IS NULL")
    run(database, definition)
    (data,) = session.execute("SELECT definition::text FROM alembic_backfill").fetchone() or ("",)
    assert Backfill.from_data(definition.name, json.loads(data)) == definition


def test_a_table_without_a_key_is_walked_by_place_where_a_trigger_keeps_it_right(
    session: psycopg.Connection, database: str
) -> None:
    session.execute("CREATE TABLE books (v int, w int)")
    session.execute("INSERT INTO books SELECT i FROM generate_series(1, 20000) i")
    (*_, last) = run(database, Backfill(table="books", values={"w": "v"}, in_step=True))
    assert session.execute("SELECT count(*) FROM books WHERE w = v").fetchone() == (20000,)
    assert last.progress.changed == 20000
