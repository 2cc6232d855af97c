"""Under hands that mean no good: rows that move, are held or take no value; settings of the role; a name used twice."""

import threading
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import psycopg
import pytest

from alembic_online.backfill import monitor as watch
from alembic_online.backfill import state
from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.monitor import Report
from alembic_online.policy import Policy
from alembic_online.postgres.sqlstate import causes
from tests.alembic_online.backfill.running import run
from tests.servers import as_role

WRONG = "SELECT count(*) FROM books WHERE v IS DISTINCT FROM id"
IDS = Backfill(table="books", values={"v": "id"})


def books(session: psycopg.Connection, rows: int) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, v int)")
    session.execute(f"INSERT INTO books SELECT i FROM generate_series(1, {rows}) i")
    session.execute("ANALYZE books")


def once(when: Callable[[], bool], act: Callable[[], object]) -> Callable[[Report], None]:
    """An `on_report` that acts the first time that it is so."""
    acted: list[bool] = []

    def look(_: Report) -> None:
        if not acted and when():
            acted.append(True)
            act()

    return look


def test_a_row_that_moves_into_a_slice_that_was_done_is_not_missed(session: psycopg.Connection, database: str) -> None:
    books(session, 100_000)
    second_is_begun = "SELECT count(*) FROM alembic_backfill WHERE slice = 1 AND walked > 0"
    with patch.object(watch, "_LOOK", 0.0):
        look = once(
            lambda: bool((session.execute(second_is_begun).fetchone() or (0,))[0]),
            lambda: session.execute("UPDATE books SET id = -1 WHERE id = 100000; INSERT INTO books VALUES (0)"),
        )
        told: list[Report] = []

        def both(report: Report) -> None:
            told.append(report)
            look(report)

        run(database, IDS, on_report=both)
    assert {report.progress.passes for report in told if report.progress.walked < 99_000} == {1}
    assert session.execute("SELECT count(*) FROM alembic_backfill").fetchone() == (2,)
    assert session.execute(WRONG).fetchone() == (0,)


def test_all_others_are_filled_while_somebody_holds_two_rows_and_it_says_who(
    session: psycopg.Connection, database: str
) -> None:
    books(session, 3000)
    told: list[str] = []
    with psycopg.connect(database, application_name="report") as holder:
        holder.execute("SELECT FROM books WHERE id IN (1000, 2000) FOR UPDATE")

        def look(report: Report) -> None:
            if report.waiting:
                told.extend([report.waiting, str(session.execute("SELECT count(v) FROM books").fetchone())])
                holder.rollback()

        run(database, IDS, policy=Policy(lock_timeout=0.02), on_report=look)
        assert f"of books is held by pid {holder.info.backend_pid} (" in told[0]
    assert ("@report, idle in transaction for " in told[0], told[1]) == (True, "(2998,)")
    assert session.execute(WRONG).fetchone() == (0,)
    assert session.execute("SELECT sum(walked), bool_and(finished IS NOT NULL) FROM alembic_backfill").fetchone() == (
        3000,
        True,
    )


def test_of_a_great_many_rows_that_somebody_holds_only_some_are_set_aside(
    session: psycopg.Connection, database: str
) -> None:
    books(session, 200)
    with psycopg.connect(database) as holder, patch.object(state, "_MOST", 3):
        holder.execute("UPDATE books SET v = 0 WHERE id > 50")
        at_most = once(lambda: len(session.execute("SELECT FROM alembic_backfill").fetchall()) > 3, holder.rollback)
        run(database, IDS, policy=Policy(lock_timeout=0.01), on_report=at_most)
    assert session.execute(WRONG).fetchone() == (0,)


@pytest.mark.parametrize("by", ["expression", "trigger", "constraint"])
def test_the_row_that_takes_no_value_is_named_and_all_before_it_are_kept(
    session: psycopg.Connection, database: str, by: str
) -> None:
    books(session, 3000)
    if by == "trigger":
        session.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;"
            "CREATE TRIGGER refuse BEFORE UPDATE ON books FOR EACH ROW WHEN (NEW.id = 2345) EXECUTE FUNCTION refuse()"
        )
    elif by == "constraint":
        session.execute("ALTER TABLE books ADD CHECK (v <> 2345)")
    value = "id / (id - 2345) * 0 + id" if by == "expression" else "id"
    with pytest.raises(Exception, match=r"division by zero|not this one|violates check") as raised:
        run(database, Backfill(table="books", values={"v": value}))
    assert [note for cause in causes(raised.value) for note in getattr(cause, "__notes__", [])] == ["Row: id = 2345"]
    assert session.execute("SELECT max(id), count(*) FROM books WHERE v = id").fetchone() == (2344, 2344)


def test_a_table_that_is_locked_when_it_begins_is_waited_for(session: psycopg.Connection, database: str) -> None:
    books(session, 10)
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE books")
        timer = threading.Timer(0.3, other.rollback)
        timer.start()
        run(database, IDS)
        timer.join()
    assert session.execute(WRONG).fetchone() == (0,)


KEYS = {
    "float8": "1 + i * 1e-12",
    "date": "DATE '2020-01-01' + i",
    "timestamptz": "TIMESTAMPTZ '2026-10-25 00:00+00' + i * INTERVAL '7.3 s'",
    "timestamp(3)": "TIMESTAMP '0044-03-15 BC' + i * INTERVAL '1 day'",
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_role_that_writes_days_and_numbers_its_own_way_misses_no_row(
    session: psycopg.Connection, database: str, kind: str
) -> None:
    session.execute(f"CREATE TABLE books (id {kind} PRIMARY KEY, v int)")
    session.execute(f"INSERT INTO books SELECT {KEYS[kind]} FROM generate_series(1, 1000) i")
    name = session.info.dbname
    for setting in ("datestyle = 'SQL, DMY'", "extra_float_digits = -10", "timezone = 'Asia/Kolkata'"):
        session.execute(f"ALTER DATABASE {name} SET {setting}")
    (*_, last) = run(database, Backfill(table="books", values={"v": "1"}))
    assert (last.progress.walked, last.progress.changed) == (1000, 1000)


def test_limits_of_the_database_for_its_clients_are_not_those_of_a_backfill(
    session: psycopg.Connection, database: str
) -> None:
    books(session, 20)
    for setting in (
        "default_transaction_isolation = serializable",
        "statement_timeout = '50ms'",
        "lock_timeout = '1ms'",
        "idle_in_transaction_session_timeout = '50ms'",
    ):
        session.execute(f"ALTER DATABASE {session.info.dbname} SET {setting}")
    run(
        database,
        Backfill(table="books", values={"v": "CASE id WHEN 7 THEN 7 + length(pg_sleep(0.1)::text) ELSE id END"}),
    )
    assert session.execute(WRONG).fetchone() == (0,)


def test_rows_that_a_policy_hides_are_not_passed_over_in_silence(session: psycopg.Connection, database: str) -> None:
    books(session, 10)
    role = f"{session.info.dbname}_owner"
    session.execute(
        f"CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}; ALTER TABLE books OWNER TO {role}"
    )
    session.execute("ALTER TABLE books ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    session.execute("CREATE POLICY few ON books USING (id < 5)")
    try:
        with pytest.raises(Exception, match="would be affected by row-level security"):
            run(as_role(database, role), IDS)
    finally:
        session.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_other_values_under_the_same_name_are_begun_again(session: psycopg.Connection, database: str) -> None:
    books(session, 10)
    run(database, Backfill(table="books", values={"v": "0"}))
    run(database, IDS)
    assert session.execute(WRONG).fetchone() == (0,)


def test_a_key_that_may_hold_null_after_all_is_no_key(session: psycopg.Connection, database: str) -> None:
    session.execute("CREATE TABLE books (id int UNIQUE, v int); INSERT INTO books VALUES (1), (NULL)")
    if session.info.server_version >= 180000:
        session.execute("ALTER TABLE books ADD CONSTRAINT given NOT NULL id NOT VALID")
    with pytest.raises(Exception, match="no other unique key without NULL"):
        run(database, IDS)


def test_a_name_that_needs_every_kind_of_quoting(session: psycopg.Connection, database: str) -> None:
    table = '"we.ird ""x:y %s"'
    session.execute(f'CREATE TABLE {table} ("id:1.""" int PRIMARY KEY, "v %%(a)s" int)'.replace("%%", "%"))
    session.execute(f"INSERT INTO {table} SELECT i FROM generate_series(1, 10) i")
    (*_, last) = run(database, Backfill(table=table, values={"v %(a)s": '"id:1."""'}))
    assert last.progress.changed == 10


FUNCTION_KEYS = {
    "timestamptz": "'-infinity'",
    "interval": "INTERVAL '1 mon'",
    "float8": "'NaN'",
    "int4range": "int4range(1, 5)",
    "numeric": "'Infinity'",
}


@pytest.mark.parametrize("kind", FUNCTION_KEYS)
def test_a_function_is_asked_for_rows_whose_key_python_has_no_word_for(
    session: psycopg.Connection, database: str, kind: str
) -> None:
    session.execute(f"CREATE TABLE books (id {kind} PRIMARY KEY, v float8)")
    session.execute(f"INSERT INTO books VALUES ({FUNCTION_KEYS[kind]})")

    def infinite(rows: Any) -> Any:
        return [{"v": float("inf")} for _ in rows]

    run(database, Backfill(table="books", function=infinite, where="v IS NULL"))
    assert session.execute("SELECT v FROM books").fetchone() == (float("inf"),)
