"""A backfill holds back: batches as long as they should be, dead rows removed, nobody left behind."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.monitor import Report
from alembic_online.backfill.throttle import Pace
from alembic_online.policy import Policy
from alembic_online.postgres.embedded import program
from tests.alembic_online.backfill.running import run
from tests.alembic_online.runner.processes import until

DOUBLED = Backfill(table="books", values={"v": "id * 2"}, in_step=True)
SMALL_BATCHES = Policy(backfill_batch_seconds=0.005, backfill_pause_ratio=0)


@pytest.mark.parametrize("seconds_of_a_row", [1e-7, 1e-6, 1e-5, 1e-4, 5e-4])
def test_the_size_of_a_batch_follows_from_how_long_it_takes(seconds_of_a_row: float) -> None:
    pace = Pace(aim=0.1, pause=0.2)
    for _ in range(30):
        seconds = pace.size * seconds_of_a_row
        assert pace.took(seconds) == pytest.approx(0.2 * seconds)
    assert pace.size == 50_000 or 0.03 < seconds <= 0.07


def test_a_slow_network_does_not_make_it_creep() -> None:
    pace = Pace(aim=0.1, pause=0)
    for _ in range(30):
        pace.took(0.5)
    assert pace.size == 100


def test_a_batch_that_was_cut_off_is_half_as_long_the_next_time() -> None:
    pace = Pace(aim=0.1, pause=0.2)
    assert pace.cut_off(0.1) == pytest.approx(0.02)
    assert pace.size == 50


def test_a_collision_makes_the_next_batch_shorter_and_never_nothing_and_those_after_it_grow_again() -> None:
    pace = Pace(aim=0.1, pause=0)
    sizes = []
    for _ in range(8):
        pace.collided()
        sizes.append(pace.size)
    assert sizes == [25, 6, 1, 1, 1, 1, 1, 1]
    for _ in range(30):
        pace.took(pace.size * 1e-6)
    assert pace.size > 1000


def books(session: psycopg.Connection, rows: int) -> int:
    """Make the table; returns its bytes."""
    session.execute("CREATE TABLE books (id int PRIMARY KEY, v int) WITH (autovacuum_enabled = false)")
    session.execute(f"INSERT INTO books SELECT i FROM generate_series(1, {rows}) i")
    session.execute("VACUUM ANALYZE books")
    return size(session)


def size(session: psycopg.Connection) -> int:
    return int((session.execute("SELECT pg_relation_size('books')").fetchone() or (0,))[0])


@pytest.mark.prove
def test_the_table_does_not_double_while_every_row_is_changed(session: psycopg.Connection, database: str) -> None:
    before = books(session, 60_000)
    run(database, DOUBLED, policy=SMALL_BATCHES)
    assert size(session) < 1.4 * before


def test_it_waits_for_an_old_transaction_that_keeps_dead_rows_but_not_for_ever(
    session: psycopg.Connection, database: str
) -> None:
    books(session, 30_000)  # dead rows up to 20,000 are never too many
    waits: list[str] = []
    with psycopg.connect(database) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT count(*) FROM books")

        def on_report(report: Report) -> None:
            if report.waiting:
                waits.append(report.waiting)
                reader.rollback()

        policy = Policy(backfill_batch_seconds=0.005, backfill_pause_ratio=0, backfill_dead_row_ratio=0.1)
        run(database, DOUBLED, policy=policy, on_report=on_report)
    assert set(waits) == {"an old transaction keeps dead rows from being removed"}
    assert session.execute("SELECT count(*) FROM books WHERE v = id * 2").fetchone() == (30_000,)


def test_it_does_not_wait_for_somebody_elses_vacuum(session: psycopg.Connection, database: str) -> None:
    books(session, 30_000)
    session.execute(f"ALTER DATABASE {session.info.dbname} SET deadlock_timeout = '1ms'")
    session.execute("UPDATE books SET v = 0")
    session.execute("SELECT pg_stat_force_next_flush()")
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE books IN SHARE UPDATE EXCLUSIVE MODE")
        reports = run(database, DOUBLED, policy=replace(SMALL_BATCHES, backfill_dead_row_ratio=0.1))
    assert {report.waiting for report in reports} == {None}
    assert session.execute("SELECT count(*) FROM books WHERE v = id * 2").fetchone() == (30_000,)


@contextmanager
def receiver(session: psycopg.Connection, url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody who takes the server's WAL as a replica does."""
    slot = f"s{os.getpid()}"
    session.execute("SELECT pg_create_physical_replication_slot(%s, true)", [slot])
    dsn = urlsplit(url)._replace(path="/postgres").geturl()
    arguments = [
        "--directory",
        str(folder),
        "--slot",
        slot,
        "--status-interval",
        "1",
        "--no-loop",
        "--synchronous",
        "--dbname",
        dsn,
    ]
    running = subprocess.Popen([str(program("pg_receivewal")), *arguments], stderr=subprocess.DEVNULL)
    try:
        active = "SELECT active FROM pg_replication_slots WHERE slot_name = %s"
        until(lambda: session.execute(active, [slot]).fetchone() == (True,))
        yield running
    finally:
        running.send_signal(signal.SIGCONT)
        running.terminate()
        running.wait()
        until(lambda: session.execute(active, [slot]).fetchone() == (False,))
        session.execute("SELECT pg_drop_replication_slot(%s)", [slot])


def test_it_waits_for_a_replica_that_does_not_keep_up(
    session: psycopg.Connection, database: str, tmp_path: Path
) -> None:
    books(session, 1000)
    waits: list[str] = []
    with receiver(session, database, tmp_path) as replica:
        replica.send_signal(signal.SIGSTOP)
        # It stands still, and what is written from now on is not taken.
        session.execute("CREATE TABLE heavy AS SELECT repeat('x', 100) FROM generate_series(1, 60000)")

        def on_report(report: Report) -> None:
            if report.waiting:
                waits.append(report.waiting)
                replica.send_signal(signal.SIGCONT)

        run(database, DOUBLED, policy=Policy(backfill_wal_megabytes=4), on_report=on_report)
    assert re.fullmatch(r"replicas have yet to take \d+ MB of WAL", waits[0])
    assert session.execute("SELECT count(*) FROM books WHERE v = id * 2").fetchone() == (1000,)
