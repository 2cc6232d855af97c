"""A revision that ends its transaction by itself: what comes before and after that is there, and is stamped."""

from collections.abc import Callable
from itertools import product

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.runner.killed import BLOCK, killed
from tests.alembic_online.runner.outcomes import outcomes
from tests.alembic_online.runner.processes import Migrator
from tests.longer_proofs import every
from tests.servers import with_driver

DRIVERS = ["asyncpg", "psycopg"]
Start = Callable[..., Migrator]
TABLES = """
    CREATE TABLE counter (n integer); INSERT INTO counter VALUES (0);
    CREATE TABLE books (id integer, title text); INSERT INTO books VALUES (1, 'one');
"""
COUNT = 'op.execute("UPDATE counter SET n = n + 1")'
SESSION = "session = sa.orm.Session(op.get_bind()); session.execute(sa.text('SELECT 1')); session"
COMMITS = [
    "op.get_bind().commit()",
    "op.get_bind().get_transaction().commit()",
    f"{SESSION}.commit()",
    'op.execute("COMMIT")',
    'op.execute("end transaction;")',
    "op.get_bind().exec_driver_sql('COMMIT')",
]
ROLLBACKS = ["op.get_bind().rollback()", f"{SESSION}.rollback()", 'op.execute("ROLLBACK")', 'op.execute("ABORT")']
AFTER = {
    "in a transaction": 'op.execute("ALTER TABLE books ADD COLUMN x integer")',
    "outside of one": f'{BLOCK}\n        op.execute("ALTER TABLE books ADD COLUMN x integer")',
    "online": 'op.create_index("ix", "books", ["id"])\n    op.add_column("books", sa.Column("x", sa.Integer))',
}


def columns(watcher: psycopg.Connection) -> int:
    found = watcher.execute("SELECT count(*) FROM pg_attribute WHERE attrelid = 'books'::regclass AND attname = 'x'")
    return int(found.fetchall()[0][0])


@pytest.mark.parametrize("case", every(5, product(DRIVERS, COMMITS, AFTER)))
def test_what_comes_before_and_after_a_commit_is_there(
    project: Project, database: str, watcher: psycopg.Connection, case: tuple[str, str, str]
) -> None:
    driver, commit, after = case
    watcher.execute(TABLES)
    project.revision(
        "001_a", upgrade=f"import sqlalchemy.orm\n    {COUNT}\n    {commit}\n    {AFTER[after]}\n    {COUNT}"
    )
    project.alembic.having(**PATIENT)(with_driver(database, driver), "upgrade", "head")
    assert watcher.execute("SELECT n, version_num FROM counter, alembic_version").fetchall() == [(2, "001_a")]
    assert columns(watcher) == 1


@pytest.mark.parametrize("case", every(5, product(DRIVERS, ROLLBACKS, AFTER)))
def test_a_rollback_undoes_what_comes_before_it_and_what_comes_after_it_is_there(
    project: Project, database: str, watcher: psycopg.Connection, case: tuple[str, str, str]
) -> None:
    driver, rollback, after = case
    watcher.execute(TABLES)
    project.revision(
        "001_a", upgrade=f"import sqlalchemy.orm\n    {COUNT}\n    {rollback}\n    {AFTER[after]}\n    {COUNT}"
    )
    project.alembic.having(**PATIENT)(with_driver(database, driver), "upgrade", "head")
    assert watcher.execute("SELECT n, version_num FROM counter, alembic_version").fetchall() == [(1, "001_a")]
    assert columns(watcher) == 1


@pytest.mark.parametrize("end", [COMMITS[0], COMMITS[3], COMMITS[5], ROLLBACKS[0], ROLLBACKS[2]])
def test_what_waits_for_the_cut_over_is_committed_or_undone_with_what_comes_before_it(
    project: Project, database: str, watcher: psycopg.Connection, end: str
) -> None:
    watcher.execute(TABLES)
    project.revision("001_a", upgrade=f"{AFTER['in a transaction']}\n    {end}\n    op.execute('SELECT 1 / 0')")
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, "division by zero" in stderr) == (18, True), stderr
    assert columns(watcher) == (end in COMMITS)


@pytest.mark.parametrize("commit", [COMMITS[0], COMMITS[3]])
def test_what_was_committed_is_not_done_again_after_a_crash(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, commit: str
) -> None:
    watcher.execute(TABLES)
    killed(project, database, start, COUNT, commit, COUNT, "DIE", AFTER["in a transaction"])
    assert watcher.execute("SELECT n FROM counter").fetchall() == [(1,)]
    project.alembic(database, "upgrade", "head")
    assert watcher.execute("SELECT n FROM counter").fetchall() == [(2,)]
    assert outcomes(watcher) == ["interrupted", "done"]


@pytest.mark.parametrize("commit", [COMMITS[0], COMMITS[3]])
@pytest.mark.parametrize("after", ["in a transaction", "outside of one"])
def test_a_table_that_is_not_free_after_a_commit_is_waited_for_and_named(
    project: Project, database: str, watcher: psycopg.Connection, commit: str, after: str
) -> None:
    watcher.execute(TABLES)
    project.revision("001_a", upgrade=f"{COUNT}\n    {commit}\n    {COUNT}\n    {AFTER[after]}")
    impatient = project.alembic.having(**PATIENT, MIGRATION_TOTAL_LOCK_TIMEOUT="0.3")
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE books IN ROW EXCLUSIVE MODE")
        code, stderr = impatient.refused(database, "upgrade", "head")
    assert (code, "on books" in stderr, "what comes before it is done" in stderr) == (17, True, True), stderr
    project.alembic(database, "upgrade", "head")
    assert watcher.execute("SELECT n, version_num FROM counter, alembic_version").fetchall() == [(2, "001_a")]


@pytest.mark.parametrize("commit", [COMMITS[0], COMMITS[3]])
def test_nothing_is_destroyed_by_a_commit_before_anybody_has_consented(
    project: Project, database: str, watcher: psycopg.Connection, commit: str
) -> None:
    drop = 'name = "books"\n    op.drop_table(name)'
    project.revision("001_a", upgrade="pass", downgrade=f"{COUNT}\n    {drop}\n    {commit}\n    {COUNT}")
    project.alembic(database, "upgrade", "head")
    watcher.execute(TABLES)
    unasked = project.alembic.having(MIGRATION_ALLOW_DATA_LOSS="")
    code, stderr = unasked.refused(database, "downgrade", "base")
    assert (code, "table books: 1 row" in stderr) == (19, True), stderr
    assert watcher.execute("SELECT n, title FROM counter, books").fetchall() == [(0, "one")]
    project.alembic.having(**PATIENT)(database, "downgrade", "base")
    assert watcher.execute("SELECT n, to_regclass('books') FROM counter").fetchall() == [(2, None)]


def test_an_error_after_a_commit_leaves_what_was_committed_and_says_so_in_a_sentence(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute(TABLES)
    project.revision("001_a", upgrade=f"{COUNT}\n    {COMMITS[0]}\n    {COUNT}\n    op.execute('SELECT 1 / 0')")
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "division by zero" in stderr) == (18, True), stderr
    assert watcher.execute("SELECT n FROM counter").fetchall() == [(1,)]
