"""A stamp is held against the database: a wrong one is refused, and what differs is named."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.alembic_online.project import Project

TABLE = 'op.create_table("{0}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.String(9)))'
FIRST = "CREATE TABLE a (id serial PRIMARY KEY, a varchar(9))"


@pytest.fixture
def watcher(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as session:
        yield session


@pytest.fixture
def chain(project: Project) -> Project:
    """Two branches with a merge, and a revision that changes rows alone."""
    project.revision("001_a", None, TABLE.format("a"), 'op.drop_table("a")')
    project.revision("002_b", "001_a", TABLE.format("b"), 'op.drop_table("b")')
    project.revision("003_c", "001_a", TABLE.format("c"), 'op.drop_table("c")')
    project.revision("004_d", ("002_b", "003_c"), "op.execute(\"UPDATE a SET a = 'x'\")")
    return project


def stamped(watcher: psycopg.Connection) -> list[str]:
    there = watcher.execute("SELECT to_regclass('alembic_version')").fetchone()
    if there == (None,):
        return []
    return sorted(str(row[0]) for row in watcher.execute("SELECT version_num FROM alembic_version"))


@pytest.mark.parametrize(
    ("made", "revisions", "words"),
    [
        ([FIRST], ["001_a"], None),
        ([FIRST], ["base"], None),
        ([], ["base"], None),
        ([], ["001_a"], "table a: missing"),
        ([FIRST], ["002_b"], "table b: missing"),
        ([FIRST.replace("a (", "c ("), FIRST.replace("a (", "b (")], ["head"], "table a: missing"),
        ([FIRST, *(FIRST.replace("a (", f"{name} (") for name in "bc")], ["head"], None),
        ([FIRST, *(FIRST.replace("a (", f"{name} (") for name in "bc")], ["002_b", "003_c"], None),
        ([FIRST, FIRST.replace("a (", "b (")], ["002_b", "003_c"], "table c: missing"),
        ([FIRST, "CREATE TABLE strangers (id int)"], ["001_a"], None),
        ([FIRST, "CREATE TABLE b (id int)"], ["001_a"], "table b: should not be there"),
        ([FIRST, "ALTER TABLE a ALTER a TYPE text"], ["001_a"], "a: column a: type text -> varchar(9)"),
        ([FIRST, "GRANT SELECT ON a TO pg_monitor; ANALYZE a"], ["001_a"], None),
    ],
)
def test_a_stamp_is_true_or_refused(
    chain: Project, database: str, watcher: psycopg.Connection, made: list[str], revisions: list[str], words: str | None
) -> None:
    for statement in made:
        watcher.execute(statement.encode())
    if words is None:
        chain.alembic(database, "stamp", *revisions)
        wanted = {"base": [], "head": ["004_d"]}
        assert stamped(watcher) == wanted.get(revisions[0], revisions)
        return
    code, stderr = chain.alembic.refused(database, "stamp", *revisions)
    assert (code, words in stderr, "alembic-online adopt" in stderr) == (15, True, True), stderr
    assert stamped(watcher) == []


def test_it_is_stamped_all_the_same_for_a_reason_that_the_history_keeps(
    chain: Project, database: str, watcher: psycopg.Connection
) -> None:
    chain.alembic(database, "-x", "unproven=because I know", "stamp", "001_a")
    assert stamped(watcher) == ["001_a"]
    row = watcher.execute("SELECT revision, direction, step FROM alembic_history").fetchone()
    assert row == ("001_a", "stamp", "because I know")
    assert chain.alembic.refused(database, "-x", "unproven", "stamp", "001_a").exit_code == 16


def test_a_chain_that_cannot_be_run_beside_it_is_said_and_not_in_the_way(
    chain: Project, database: str, watcher: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    chain.revision("001_a", None, 'op.execute("SELECT * FROM made_by_hand")')
    chain.alembic(database, "stamp", "001_a")
    assert "was not compared with what 001_a makes" in caplog.text
    assert stamped(watcher) == ["001_a"]


def test_one_of_two_branches_is_stamped_beside_the_other(
    chain: Project, database: str, watcher: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    chain.alembic(database, "upgrade", "002_b")
    watcher.execute(FIRST.replace("a (", "c (").encode())
    chain.alembic(database, "stamp", "003_c", "002_b")
    assert stamped(watcher) == ["002_b", "003_c"]
    chain.alembic(database, "upgrade", "head")
    assert "by hand" not in caplog.text
    assert stamped(watcher) == ["004_d"]
