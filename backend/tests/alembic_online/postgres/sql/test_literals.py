"""No value of a user shows in a query that is shown, however it is written and wherever it is cut off."""

import psycopg
import pytest

from alembic_online.postgres.sql.literals import hide_literals, shorten

SECRET = "secret"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT * FROM t WHERE a = 'secret' AND b = 12", "SELECT * FROM t WHERE a = ? AND b = ?"),
        ("INSERT INTO t VALUES (1, 'it''s secret', -2.5e10, 0xFF, 1_000)", "INSERT INTO t VALUES (?, ?, -?, ?, ?)"),
        (r"SELECT E'a\'secret', e'secret\\', N'secret', B'01', x'1F', U&'secret'", "SELECT ?, ?, ?, ?, ?, ?"),
        ("DO $$ BEGIN PERFORM 'secret'; END $$", "DO ?"),
        ("SELECT $a$ secret $$ secret $a$, $1, $2::text", "SELECT ?, $1, $2::text"),
        ('SELECT "Column 1" FROM t2 WHERE c3.d = 4', 'SELECT "Column 1" FROM t2 WHERE c3.d = ?'),
        ("SELECT 1 -- secret\n, 2 /* secret /* secret */ secret */ FROM t", "SELECT ? , ? FROM t"),
        ("SELECT a[1], b->>'secret' FROM t\n\n  WHERE x>3", "SELECT a[?], b->>? FROM t WHERE x>?"),
        ("ALTER ROLE r PASSWORD 'secret'", "ALTER ROLE r PASSWORD ?"),
        ("SET app.token = secret", "SET app.token = ?"),
        ("set local app.token to secret", "set local app.token to ?"),
        ("UPDATE t SET a = b", "UPDATE t SET a = b"),
        ("", ""),
    ],
)
def test_literals_and_comments_are_hidden_and_nothing_else_is(query: str, shown: str) -> None:
    assert shorten(query) == shown


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 'secret and then it is cut o",
        r"SELECT E'secret \' secret",
        "SELECT $tag$ secret $ta",
        "SELECT $$ secret",
        "SELECT 1 /* secret",
        "SELECT 1 -- secret",
        "SELECT E'secret\\",
    ],
)
def test_what_is_cut_off_is_hidden_to_its_end(query: str) -> None:
    """As the server does with a query longer than `track_activity_query_size`."""
    assert SECRET not in shorten(query, 1000)


@pytest.mark.parametrize(
    "query", [r"SELECT 'C:\', 'secret'", r"SELECT 'it\'s secret', 'secret'", r"SELECT 'a\''secret'"]
)
def test_where_a_string_ends_depends_on_a_setting_nothing_is_shown_from_there(query: str) -> None:
    assert shorten(query) == "SELECT ? ..."


def test_literals_are_shown_when_they_are_asked_for_on_one_line() -> None:
    assert shorten("SELECT 'a'\n  FROM t", show_literals=True) == "SELECT 'a' FROM t"


def test_a_query_is_cut_to_its_length_only_after_it_was_hidden() -> None:
    assert shorten("SELECT 'secret', aaaaaaaaaaaaaaaaaaaa", 16) == "SELECT ?, aaa..."
    assert shorten("SELECT 'secret'", 8) == "SELECT ?"


def test_a_query_with_its_literals_hidden_parses_like_the_one_that_was_written(database: str) -> None:
    """Names, operators and order are kept: with a value again for each `?`, the server prepares it."""
    query = "SELECT a.\"relname\"::text || 'x', 12 FROM pg_class AS a WHERE relname LIKE 'pg%' AND oid >= 1 -- why"
    with psycopg.connect(database) as connection:
        connection.execute(f"PREPARE it AS {hide_literals(query).replace('?', 'NULL')}".encode())
