"""The table of conflicts is PostgreSQL's: each pair of modes is tried."""

import itertools

import psycopg
import pytest

from alembic_online.postgres.locks import LockMode


def test_two_modes_conflict_exactly_where_the_server_does_not_grant_both(database: str) -> None:
    with psycopg.connect(database) as first, psycopg.connect(database) as second:
        first.execute("CREATE TABLE t (id int)")
        first.commit()
        for held, wanted in itertools.product(LockMode, repeat=2):
            first.execute(f"LOCK t IN {held} MODE".encode())
            try:
                second.execute(f"LOCK t IN {wanted} MODE NOWAIT".encode())
                granted = True
            except psycopg.errors.LockNotAvailable:
                granted = False
            assert held.conflicts_with(wanted) is not granted, f"{held} and {wanted}"
            first.rollback()
            second.rollback()


def test_a_mode_reads_and_prints_the_spelling_of_pg_locks(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE t (id int)")
        connection.commit()
        for mode in LockMode:
            connection.execute(f"LOCK t IN {mode} MODE".encode())
            found = connection.execute("SELECT mode FROM pg_locks WHERE relation = 't'::regclass").fetchone()
            assert found == (mode.pg_locks,)
            assert LockMode.parse(mode.pg_locks) is LockMode.parse(f"{mode}".lower()) is mode
            connection.rollback()


def test_what_is_no_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="'SIReadLock' is no table lock mode"):
        LockMode.parse("SIReadLock")


@pytest.mark.parametrize(
    ("mode", "statement", "stopped"),
    [
        (LockMode.ACCESS_EXCLUSIVE, "SELECT FROM t", "reads and writes"),
        (LockMode.EXCLUSIVE, "INSERT INTO t VALUES (1)", "writes"),
        (LockMode.SHARE_ROW_EXCLUSIVE, "INSERT INTO t VALUES (1)", "writes"),
        (LockMode.SHARE, "INSERT INTO t VALUES (1)", "writes"),
        (LockMode.SHARE_UPDATE_EXCLUSIVE, "ALTER TABLE t ALTER id SET STATISTICS 9", "schema changes"),
    ],
)
def test_a_mode_says_what_it_stops(database: str, mode: LockMode, statement: str, stopped: str) -> None:
    with psycopg.connect(database) as holder, psycopg.connect(database) as client:
        holder.execute("CREATE TABLE t (id int)")
        holder.commit()
        holder.execute(f"LOCK t IN {mode} MODE".encode())
        client.execute("SET lock_timeout = '20ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            client.execute(statement.encode())
        assert mode.blocks == stopped
