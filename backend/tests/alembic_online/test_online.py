"""An env.py that its owner keeps, with one line changed: in every usual shape."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from tests.alembic_online.shop import ASYNC, REVISION, STATE, SYNC, make_shop
from tests.paths import BACKEND

pytestmark = pytest.mark.programs
PROVE = pytest.mark.prove
BOTH = pytest.mark.parametrize(
    ("shape", "driver"),
    [(SYNC, "psycopg"), (SYNC, "psycopg2"), (ASYNC, "asyncpg")],
    ids=["psycopg", "psycopg2", "asyncpg"],
)
SYNC_AT_LEAST = pytest.mark.parametrize(
    ("shape", "driver"),
    [pytest.param(SYNC, "psycopg", id="sync"), pytest.param(ASYNC, "asyncpg", id="async", marks=PROVE)],
)


@pytest.mark.parametrize(
    ("shape", "driver"),
    [
        pytest.param(SYNC, "psycopg", id="psycopg"),
        pytest.param(SYNC, "psycopg2", id="psycopg2", marks=PROVE),
        pytest.param(ASYNC, "asyncpg", id="asyncpg", marks=PROVE),
        pytest.param(ASYNC, "psycopg", id="async-psycopg", marks=PROVE),
    ],
)
def test_up_and_down_as_plain_alembic(tmp_path: Path, database: str, shape: str, driver: str) -> None:
    shop = make_shop(tmp_path, database, shape, driver)
    shop.cold("upgrade", "head")
    plain = shop.ask(STATE)
    shop.cold("downgrade", "base")
    shop.adopt()
    said = shop.cold("upgrade", "head")
    assert shop.ask(STATE) == plain, said
    done = shop.ask("SELECT revision FROM alembic_history WHERE outcome = 'done' ORDER BY id")
    assert sorted(str(revision) for (revision,) in done) == ["1a2b", "3c4d", "5e6f", "7a8b"]
    shop.alembic("downgrade", "1a2b")
    shop.alembic("upgrade", "head")
    assert shop.ask(STATE) == plain
    assert "Nothing to do" in shop.alembic("upgrade", "head")


@pytest.mark.parametrize(
    ("shape", "driver"),
    [
        pytest.param(SYNC, "psycopg2", id="psycopg2"),
        pytest.param(SYNC, "psycopg", id="psycopg", marks=PROVE),
        pytest.param(ASYNC, "asyncpg", id="asyncpg", marks=PROVE),
    ],
)
def test_a_failure_says_the_row_and_what_stays(tmp_path: Path, database: str, shape: str, driver: str) -> None:
    shop = make_shop(tmp_path, database, shape, driver)
    shop.adopt()
    shop.alembic("upgrade", "head")
    up = """op.create_index("ix_pages", "books", ["pages"])
    op.execute("UPDATE books SET id = 1 WHERE id = 2")"""
    (tmp_path / "versions" / "9c.py").write_text(REVISION.format(revision="9c", parent="7a8b", up=up, down="pass"))
    said = shop("alembic.__main__", "upgrade", "head", code=18, MIGRATION_SMALL_TABLE_BYTES="0")
    assert 'violates unique constraint "books_pkey"' in said
    assert "Key (id)=(1) already exists." in said
    assert "What 9c did before that is committed, and stays" in said


@SYNC_AT_LEAST
def test_what_is_in_the_way_is_waited_for(tmp_path: Path, database: str, shape: str, driver: str) -> None:
    shop = make_shop(tmp_path, database, shape, driver)
    shop.adopt()
    shop.alembic("upgrade", "1a2b")
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with engine.connect() as reader:
        reader.execute(text("SELECT FROM books LIMIT 1"))
        said = shop("alembic.__main__", "upgrade", "5e6f", code=17, MIGRATION_TOTAL_LOCK_TIMEOUT="1")
    assert "Could not lock books (ACCESS EXCLUSIVE) within 1 s" in said
    assert "Traceback" not in said
    shop.alembic("upgrade", "5e6f")


@pytest.mark.prove
def test_autogenerate_and_check_compare_as_ours_do(tmp_path: Path, database: str) -> None:
    hook = "{'process_revision_directives': lambda *given: print('LINES', len(given[2][0].upgrade_ops.ops)),"
    hook += " 'version_table': 'shop_versions'}"
    shop = make_shop(tmp_path, database, options=hook)
    shop.adopt()
    shop.alembic("upgrade", "head")
    assert "LINES 0" in shop.alembic("check")
    models = shop.folder / "shop.py"
    models.write_text(models.read_text().replace('Index("ix', 'CheckConstraint("pages > 0", name="more"), Index("ix'))
    assert "constraint more: added" in shop.alembic("check", code=20)
    assert "LINES 1" in shop.alembic("revision", "--autogenerate", "-m", "more")
    shop.alembic("upgrade", "head")
    shop.alembic("check")


FILTERS = """
SEEN = set()
def include_object(thing, name, type_, reflected, compare_to):
    assert thing.name == name and (compare_to is None or compare_to.name == name) and not (reflected and compare_to)
    SEEN.add((type_, reflected))
    return not (name.startswith("legacy") or thing.info.get("skip"))

def include_name(name, type_, parents):
    assert type_ in ("schema", "table") or parents["table_name"] in ("books", "mine")
    return name is None or not name.startswith("foreign")  # the default schema has no name

OPTIONS = {"include_object": include_object, "include_name": include_name}
"""


def test_the_filters_of_the_project_hold(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, FILTERS + SYNC)
    shop.adopt()
    shop.alembic("upgrade", "head")
    for name in ("legacy", "foreign"):
        shop.execute(f"CREATE TABLE {name}s (id int PRIMARY KEY)")
    shop.execute("CREATE INDEX legacy_pages ON books (pages)")
    models = shop.folder / "shop.py"
    models.write_text(
        models.read_text() + 'two = MetaData()\nTable("mine", two, Column("id", Integer), info={"skip": True})\n'
    )
    env = shop.folder / "env.py"
    env.write_text(
        env.read_text().replace("import one\ntarget_metadata = one", "import one, two\ntarget_metadata = [one, two]")
    )
    shop.alembic("check")
    models.write_text(models.read_text().replace('"skip": True', ""))
    assert "mine\n  table: added" in shop.alembic("check", code=20)
    shop.alembic("revision", "--autogenerate", "-m", "mine")
    shop.alembic("upgrade", "head")
    shop.alembic("check")
    assert shop.ask("SELECT count(*) FROM pg_class WHERE relname IN ('legacys', 'foreigns', 'mine')") == [(3,)]


@pytest.mark.prove
@SYNC_AT_LEAST
def test_the_verbs_find_the_project(tmp_path: Path, database: str, shape: str, driver: str) -> None:
    shop = make_shop(tmp_path, database, shape, driver)
    shop.adopt()
    assert "CREATE TABLE books" in shop("alembic_online", "plan")
    assert shop.ask("SELECT to_regclass('books')") == [(None,)]
    shop.alembic("upgrade", "head")
    shop("alembic_online", "drift")
    assert "7a8b" in shop("alembic_online", "history")


@BOTH
def test_sigterm_stops_it_and_the_next_run_finishes(tmp_path: Path, database: str, shape: str, driver: str) -> None:
    shop = make_shop(tmp_path, database, shape, driver)
    shop.adopt()
    last = shop.folder / "versions" / "7a8b_.py"
    whole = last.read_text()
    column = '    op.add_column("books", sa.Column("isbn", sa.Text))'
    wait = "    op.execute(\"SELECT 'long', pg_sleep(3600)\")"
    last.write_text(whole.replace("    pass", f"{column}\n{wait}", 1))
    running = shop.start("alembic.__main__", "upgrade", "head")
    while not shop.ask("SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT ''long''%' AND state = 'active'"):
        assert running.process.is_alive(), running.output
    code, said = running.tell(signal.SIGTERM), running.output
    running.end()
    assert (code, "Stopped by SIGTERM: upgrade of 7a8b" in said, "Traceback" in said) == (
        143,
        True,
        False,
    ), said
    last.write_text(whole.replace("    pass", column, 1))
    shop.alembic("upgrade", "head")
    assert shop.ask("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT ''long''%'") == [(0,)]


@pytest.mark.prove
@SYNC_AT_LEAST
def test_a_backfill_runs_beside_it(tmp_path: Path, database: str, shape: str, driver: str) -> None:
    shop = make_shop(tmp_path, database, shape, driver)
    shop.adopt()
    last = shop.folder / "versions" / "7a8b_.py"
    fill = """op.backfill("books", {"pages": "id"})"""
    last.write_text(last.read_text().replace("    pass", f"    {fill}", 1))
    shop.alembic("upgrade", "head")
    assert shop.ask("SELECT count(*) FROM books WHERE pages = id") == [(1000,)]


def test_a_script_has_the_steps_too(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, "postgresql://nobody@localhost:1/none")
    (shop.folder / "versions" / "5e6f_.py").unlink()
    (shop.folder / "versions" / "7a8b_.py").unlink()
    assert "CONCURRENTLY" not in shop.alembic("upgrade", "head", "--sql")
    shop.adopt()
    assert "CREATE INDEX CONCURRENTLY ix_title" in shop.alembic("upgrade", "head", "--sql")


TAKEN = """bind = op.get_bind()
    op.add_column("books", sa.Column("pages", sa.Integer))
    cursor = bind.connection.cursor()
    cursor.execute("UPDATE books SET pages = 3 WHERE id < 3")
    cursor.execute("SELECT count(*) FROM books WHERE pages = 3")
    op.add_column("books", sa.Column("isbn", sa.Text))
    cursor.execute(f"UPDATE books SET isbn = 'n{cursor.fetchone()[0]}' WHERE id = 1")
    op.alter_column("books", "isbn", new_column_name="number")
    with bind.begin_nested():
        op.execute("ALTER TABLE books ADD COLUMN note text")
        cursor.execute("UPDATE books SET note = number, number = pages WHERE id = 1")"""
VALUES = """
    from psycopg2.extras import execute_values
    op.add_column("books", sa.Column("sold", sa.Integer))
    with bind.connection.driver_connection.cursor() as theirs:
        execute_values(theirs, "UPDATE books SET sold = v.n FROM (VALUES %s) v (i, n) WHERE id = i", [(1, 9)])"""


@pytest.mark.parametrize(
    ("shape", "driver", "more"),
    [(SYNC, "psycopg", ""), (SYNC, "psycopg2", VALUES), (ASYNC, "asyncpg", "")],
    ids=["psycopg", "psycopg2", "asyncpg"],
)
def test_a_cursor_of_the_driver_finds_what_stands_above_it(
    tmp_path: Path, database: str, shape: str, driver: str, more: str
) -> None:
    shop = make_shop(tmp_path, database, shape, driver)
    for each in ("3c4d", "5e6f", "7a8b"):
        (tmp_path / "versions" / f"{each}_.py").unlink()
    shop.adopt()
    shop.alembic("upgrade", "head")
    (tmp_path / "versions" / "2_.py").write_text(
        REVISION.format(revision="2", parent="1a2b", up=TAKEN + more, down="pass")
    )
    shop.alembic("upgrade", "head")
    assert shop.ask("SELECT number, note, pages FROM books WHERE id = 1") == [("3", "n2", 3)]
    assert not more or shop.ask("SELECT sold FROM books WHERE id = 1") == [(9,)]


def test_one_connection_for_all_is_refused(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, SYNC.replace("pool.NullPool", "pool.StaticPool"))
    shop.adopt()
    assert "StaticPool" in shop.alembic("upgrade", "head", code=16)
    assert shop.ask("SELECT to_regclass('books')") == [(None,)]


def test_a_transaction_of_env_py_is_left_to_it(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, SYNC.replace("connectable.connect()", "connectable.begin()").replace(
        "        context.configure", "        connection.exec_driver_sql('SELECT 1')\n        context.configure"
    ))  # fmt: skip
    shop.adopt()
    assert "runs in it, as with plain Alembic" in shop.alembic("upgrade", "head")
    assert shop.ask("SELECT count(*) FROM books") == [(1000,)]


def test_another_database_is_left_to_alembic(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, f"sqlite:///{tmp_path}/shop.db")
    for each in ("3c4d", "5e6f", "7a8b"):
        (tmp_path / "versions" / f"{each}_.py").unlink()
    first = tmp_path / "versions" / "1a2b_.py"
    first.write_text(first.read_text().replace("generate_series(1, 1000) n", "(SELECT 1 AS n)"))
    shop.adopt()
    shop.alembic("upgrade", "head")
    engine = create_engine(shop.url, poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT title FROM books")).scalars().all() == ["title 1"]


@pytest.mark.programs
def test_another_database_needs_no_driver_of_postgresql() -> None:
    program = "import sys, alembic_online; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], cwd=BACKEND, capture_output=True, text=True, check=True)
    assert "alembic_online.online" in modules.stdout.split()
    assert not {"asyncpg", "psycopg", "psycopg2"}.intersection(modules.stdout.split())
