"""Where nobody can notice it, a revision is one transaction with its stamp, as with plain Alembic; else, never."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
import pytest

from tests.alembic_online.project import Project

_TABLES = "CREATE TABLE authors (id int PRIMARY KEY, born int); INSERT INTO authors VALUES (1, 1920)"
_ADD = 'op.add_column("authors", sa.Column("note", sa.Text()))'
_VIEW = "CREATE VIEW births AS SELECT id, born FROM authors"
_WIDENED = f"""{_ADD}
    op.alter_column("authors", "born", type_=sa.BigInteger())"""
_SLEEPS = """CREATE FUNCTION slow(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_sleep(0.2); RETURN $1; END'"""
_SLOW = f"""{_ADD}
    op.create_index("ix_slow", "authors", [sa.text("slow(id)")])"""
_COMMITS = f"""{_ADD}
    getattr(op.get_bind(), "com" + "mit")()  # no word of the file says so
    op.create_index("ix_born", "authors", ["born"])"""
_LEAVES = f"""{_ADD}
    with getattr(op.get_context(), "auto" + "com" + "mit_block")():
        op.create_index("ix_born", "authors", ["born"])"""
# Its first try begins a query of somebody else's, who goes on with it for as long as it takes, and its second ends it.
_SOMEBODY_COMES = f"""import os, psycopg
    somebody = globals().setdefault("somebody", [])
    if not somebody:
        somebody.append(psycopg.connect(os.environ["DATABASE_URL"]))
        somebody[0].execute("SELECT FROM authors")
    elif len(somebody) == 1:
        somebody[0].close()
        somebody.append(None)
    {_ADD}"""


@contextmanager
def _query_of(database: str) -> Iterator[None]:
    with psycopg.connect(database) as connection:
        connection.execute("SELECT")
        yield


@contextmanager
def _prepared_transaction(database: str) -> Iterator[None]:
    with psycopg.connect(database, autocommit=True) as connection:
        if connection.execute("SHOW max_prepared_transactions").fetchone() == ("0",):
            pytest.skip("a server of somebody else's, which knows no prepared transactions")
        connection.execute("BEGIN; CREATE TABLE other (); PREPARE TRANSACTION 'other'")
    yield
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ROLLBACK PREPARED 'other'")


def _set_up(database: str, *more: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for each in (_TABLES, *more):
            connection.execute(each)


def _is_one_transaction(database: str) -> bool:
    """Whether the new column is of the transaction that has stamped the revision."""
    query = """SELECT a.xmin = v.xmin FROM alembic_version v, pg_attribute a
        WHERE attrelid = 'authors'::regclass AND attname = 'note'"""
    with psycopg.connect(database) as connection:
        return bool(connection.execute(query).fetchall() == [(True,)])


def test_a_revision_that_nobody_notices_is_one_transaction_with_its_stamp(project: Project, database: str) -> None:
    _set_up(database)
    project.revision("001_a", upgrade=_ADD)
    project.alembic(database, "upgrade", "head")
    assert _is_one_transaction(database)


_UNTIL_WATCHED = """while op.get_bind().scalar(sa.text(
        "SELECT count(*) < 3 FROM pg_stat_activity WHERE datname = current_database()")):
        pass"""


def test_who_only_shows_its_progress_is_nobody_else(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_up(database)
    project.revision("001_a", upgrade=_UNTIL_WATCHED)
    project.revision("002_b", "001_a", _ADD)
    monkeypatch.setattr("alembic_online.runtime.activity.QUIET", 0.0)  # each step counts as long
    project.alembic(database, "upgrade", "head")
    assert _is_one_transaction(database)


@pytest.mark.parametrize(
    ("there", "variables"),
    [
        pytest.param(_query_of, {}, id="somebody is connected"),
        pytest.param(_prepared_transaction, {}, id="a transaction is prepared"),
        pytest.param(nullcontext, {"MIGRATION_SMALL_TABLE_BYTES": "0"}, id="a table is large"),
    ],
)
def test_what_somebody_may_notice_lets_go_of_its_lock_before_the_stamp(
    project: Project, database: str, there: Any, variables: dict[str, str]
) -> None:
    _set_up(database)
    project.revision("001_a", upgrade=_ADD)
    with there(database):
        project.alembic.having(**variables)(database, "upgrade", "head")
    assert not _is_one_transaction(database)


def test_the_parts_of_a_table_count_together(project: Project, database: str) -> None:
    parts = [f"CREATE TABLE log_{i} PARTITION OF log FOR VALUES IN ({i})" for i in range(10)]
    rows = "INSERT INTO log SELECT i % 10, repeat('x', 90) FROM generate_series(1, 5000) i"
    _set_up(database, "CREATE TABLE log (part int, words text) PARTITION BY LIST (part)", *parts, rows)
    project.revision("001_a", upgrade=_ADD)
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="400000")(database, "upgrade", "head")
    assert not _is_one_transaction(database)


def test_a_table_that_a_revision_of_the_same_run_has_filled_counts(project: Project, database: str) -> None:
    _set_up(database)
    fill = "INSERT INTO authors SELECT i, i FROM generate_series(2, 9999) i"
    project.revision("001_a", upgrade=f'op.execute("{fill}")')
    project.revision("002_b", "001_a", upgrade=_ADD)
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="200000")(database, "upgrade", "head")
    assert not _is_one_transaction(database)


@pytest.mark.parametrize(
    ("upgrade", "more"),
    [
        pytest.param(_SOMEBODY_COMES, (), id="somebody comes in the middle, and keeps the table"),
        pytest.param(_COMMITS, (), id="it commits by itself"),
        pytest.param(_LEAVES, (), id="it leaves its transaction"),
        pytest.param(_SLOW, (_SLEEPS,), id="it takes long"),
        pytest.param(_WIDENED, (_VIEW,), id="a view is in the way"),
    ],
)
def test_what_does_not_do_alone_is_done_again_with_care(
    project: Project, database: str, upgrade: str, more: tuple[str, ...]
) -> None:
    _set_up(database, *more)
    project.revision("001_a", upgrade=upgrade)
    project.alembic(database, "upgrade", "head")
    assert not _is_one_transaction(database)
    with psycopg.connect(database) as connection:
        stamped = connection.execute("SELECT version_num, outcome, journal FROM alembic_version, alembic_history")
        assert stamped.fetchall() == [("001_a", "done", [])]


def test_what_fails_alone_and_with_care_leaves_nothing(project: Project, database: str) -> None:
    _set_up(database)
    project.revision("001_a", upgrade=f'{_ADD}\n    op.create_check_constraint("old", "authors", "born < 1900")')
    assert "born < 1900" in project.alembic.refused(database, "upgrade", "head").stderr
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT * FROM authors").fetchall() == [(1, 1920)]


@pytest.mark.parametrize("delicate", [True, False], ids=["a replica identity", "none"])
def test_a_replica_identity_is_left_to_care(project: Project, database: str, delicate: bool) -> None:
    identity = "ALTER TABLE authors REPLICA IDENTITY USING INDEX authors_pkey" if delicate else "SELECT"
    _set_up(database, identity)
    project.revision("001_a", upgrade=f"{_ADD}\n    op.alter_column('authors', 'born', type_=sa.BigInteger())")
    project.alembic(database, "upgrade", "head")
    assert _is_one_transaction(database) is not delicate
