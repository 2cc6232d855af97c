"""Promise: where somebody is in the way, no two tables in use are locked together, unless it must be seen at once.

Which tables a transaction has locked, PostgreSQL itself notes at the end of every DDL statement.
"""

import psycopg
import pytest

from alembic_online.recipes.cutover.commit_points import belongs_together
from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import Direct, directly, write
from tests.alembic_online.recipes.interruption import DIRECT, run_interrupted
from tests.alembic_online.recipes.noted_locks import NOTED
from tests.alembic_online.recipes.state import read_state, same

__all__ = ["directly"]

SHOP = """
    CREATE TABLE authors (id integer PRIMARY KEY, name text);
    CREATE TABLE books (id integer PRIMARY KEY, author integer, pages integer);
    CREATE TABLE loans (id integer PRIMARY KEY, book integer);
    INSERT INTO authors SELECT i, i FROM generate_series(1, 40) i;
    INSERT INTO books SELECT i, i, i FROM generate_series(1, 40) i;
    INSERT INTO loans SELECT i, i FROM generate_series(1, 40) i;
"""
TABLES = ["authors", "books", "loans"]
CASE = Case(
    "three tables",
    'op.add_column("authors", sa.Column("born", sa.Integer))\n'
    '    op.create_index("ix_pages", "books", ["pages"])\n'
    '    op.execute("ALTER TABLE loans ADD COLUMN note text")\n'
    '    op.alter_column("authors", "name", nullable=False)\n'
    '    op.create_table("pages", sa.Column("book", sa.Integer, sa.ForeignKey("books.id")))\n'
    '    op.alter_column("loans", "book", type_=sa.BigInteger)',
    'op.alter_column("loans", "book", type_=sa.Integer)\n'
    '    op.drop_column("authors", "born")\n'
    '    op.drop_index("ix_pages", "books")\n'
    '    op.alter_column("authors", "name", nullable=True)\n'
    '    op.drop_column("loans", "note")\n'
    '    op.drop_table("pages")',
    SHOP,
)
# A column comes back as a computed one in the last line: what was done after the UPDATE is committed with it.
COMPUTED = Case(
    "computed at the end",
    """op.add_column("books", sa.Column("kept", sa.Integer()))
    op.execute("UPDATE books SET kept = pages")
    op.drop_column("books", "pages")
    op.add_column("books", sa.Column("pages", sa.Integer(), sa.Computed("author * 2", persisted=True)))""",
    """op.drop_column("books", "pages")
    op.add_column("books", sa.Column("pages", sa.Integer()))
    op.execute("UPDATE books SET pages = kept")
    op.drop_column("books", "kept")""",
    SHOP,
)
SWAPPED = (
    'op.rename_table("books", "old"); op.add_column("loans", sa.Column("a", sa.Text)); op.rename_table("old", "books")'
)
DROPS = 'op.drop_column("loans", "book"); op.drop_column("books", "pages")'


BUSY = """
    CREATE SEQUENCE tries;
    CREATE FUNCTION be_busy() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('tries') = 1 THEN RAISE lock_not_available; END IF;
    END $$;
    CREATE EVENT TRIGGER busy ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION be_busy();
"""
FREE = "DROP EVENT TRIGGER busy; DROP FUNCTION be_busy; DROP SEQUENCE tries"


def locked_together(project: Project, url: str, *command: str, **variables: str) -> list[set[str]]:
    """Run it directly, once in vain; the tables that were locked strongly at the end of each DDL statement."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(f"{NOTED};{BUSY}")
        project.alembic.having(**{**DIRECT, **variables})(url, *command)
        rows = session.execute(
            "SELECT array_agg(DISTINCT relation) FROM noted WHERE relation = ANY (%s) AND"
            " mode ~ '^(Share|Exclusive|AccessExclusive)' AND mode !~ 'ShareUpdate' GROUP BY step",
            [TABLES],
        ).fetchall()
        session.execute(f"{FREE}; DROP EVENT TRIGGER note; DROP FUNCTION note; DROP TABLE noted")
    return [set(tables) for (tables,) in rows]


def test_each_is_locked_by_itself_up_and_down(project: Project, database: str) -> None:
    write(project, database, CASE)
    for command in (["upgrade", "head"], ["downgrade", "base"]):
        found = locked_together(project, database, *command)
        assert {len(tables) for tables in found} == {1}, found
        assert set().union(*found) == set(TABLES)


@pytest.mark.parametrize("case", [CASE, COMPUTED], ids=str)
def test_it_converges_though_its_session_ends_around_every_step(
    project: Project, database: str, directly: Direct, case: Case
) -> None:
    up, down = directly(case)
    write(project, database, case)
    for command, expected in ((["upgrade", "head"], up), (["downgrade", "base"], down)):
        assert run_interrupted(project, database, *command, small="1e12") > 1
        same(expected, read_state(database))


def test_a_revision_that_fails_while_nobody_is_in_its_way_has_changed_nothing(project: Project, database: str) -> None:
    fails = 'op.add_column("books", sa.Column("a", sa.Text)); op.create_check_constraint("c", "loans", "book < 40")'
    write(project, database, Case("", fails, "pass", SHOP))
    before = read_state(database)
    code, stderr = project.alembic.having(**DIRECT).refused(database, "upgrade", "head")
    assert (code, '"loans"' in stderr) == (18, True), stderr
    same(before, read_state(database))


def test_what_must_be_seen_at_once_is(project: Project, database: str) -> None:
    write(project, database, Case("", SWAPPED, SWAPPED, SHOP))
    assert {"books", "loans"} in locked_together(project, database, "upgrade", "head")


def test_a_downgrade_that_is_refused_has_changed_nothing_of_the_first_table(project: Project, database: str) -> None:
    write(project, database, Case("", "pass", DROPS, SHOP))
    project.alembic(database, "upgrade", "head")
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("UPDATE loans SET book = NULL")  # so nothing of it is lost
    before = read_state(database)
    code, stderr = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="1e12").refused(database, "downgrade", "base")
    assert (code, "nothing was changed yet" in stderr) == (19, True), stderr
    same(before, read_state(database))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("ALTER TABLE a ADD COLUMN b integer, ALTER c DROP NOT NULL, DROP CONSTRAINT d", False),
        ("alter table only a.b add unique (c)", False),
        ("CREATE UNIQUE INDEX a ON b (c); DROP INDEX d; COMMENT ON TABLE b IS 'x'", False),
        ("CREATE TABLE a (b integer REFERENCES c)", False),
        ("CREATE TYPE a AS ENUM ('b')", False),
        ("UPDATE a SET b = 1", False),
        ("ALTER TABLE a RENAME TO b", True),
        ("ALTER TABLE a RENAME COLUMN b TO c", True),
        ("ALTER TABLE a ADD b integer; ALTER TABLE c SET SCHEMA d", True),
        ("ALTER TABLE a DISABLE TRIGGER ALL", True),
        ("DROP TABLE a", True),
        ("DROP TRIGGER a ON b", True),
        ("LOCK TABLE a IN EXCLUSIVE MODE", True),
        ("DO $$ BEGIN PERFORM f(); END $$", True),
        ("DO $$ BEGIN ALTER TABLE a DROP b; END $$", True),
        ("DO $$ BEGIN DELETE FROM a; END $$", False),
        ("SELECT lock_all()", True),
    ],
)
def test_what_may_be_one_half_of_a_change_is_known(sql: str, expected: bool) -> None:
    assert belongs_together(sql) is expected
