"""An env.py that its owner keeps, with one line changed: in every usual shape."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from tests import forked_programs
from tests.forked_programs import Program

pytestmark = pytest.mark.programs
TEMPLATE = Path(__file__).parents[2] / "migrations" / "script.py.mako"
MODELS = """
from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, String, Table

one = MetaData()
books = Table("books", one, Column("id", Integer, primary_key=True), Column("title", String(200), nullable=False),
    Column("pages", Integer, server_default="7"), Index("ix_title", "title"))
"""
SYNC = """
from sqlalchemy import engine_from_config, pool

def run_migrations_online():
    connectable = engine_from_config({"sqlalchemy.url": URL}, poolclass=pool.NullPool)
    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata, **OPTIONS)
        with context.begin_transaction():
            context.run_migrations()

if context.is_offline_mode():
    context.configure(
        url=URL, target_metadata=target_metadata, literal_binds=True, dialect_opts={"paramstyle": "named"}
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    run_migrations_online()
"""
ASYNC = """
import asyncio
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import async_engine_from_config

def do_run_migrations(connection):
    context.configure(connection=connection, target_metadata=target_metadata, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()

async def run_async_migrations():
    connectable = async_engine_from_config({"sqlalchemy.url": URL}, poolclass=pool.NullPool)
    async with connectable.connect() as connection:
        await connection.run_sync(do_run_migrations)
    await connectable.dispose()

asyncio.run(run_async_migrations())
"""
TOP = """
import os
from alembic import context
from shop import one
target_metadata = one
URL = os.environ["SHOP_URL"].replace("postgresql:", "postgresql+{driver}:")
OPTIONS = {options}
"""
BOOKS = """op.create_table("books", sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.Text, nullable=False))
    op.execute("INSERT INTO books SELECT n, 'title ' || n FROM generate_series(1, 1000) n")"""
WIDER = """op.create_index("ix_title", "books", ["title"])
    op.alter_column("books", "title", type_=sa.String(200))"""
NARROWER = """op.alter_column("books", "title", type_=sa.Text)
    op.drop_index("ix_title")"""
PAGES = """op.add_column("books", sa.Column("pages", sa.Integer, server_default="7"))
    op.get_bind().execute(sa.text("UPDATE books SET pages = :p WHERE id < 10"), {"p": 3})"""
CHAIN = (
    ("1a2b", None, BOOKS, 'op.drop_table("books")'),
    ("3c4d", "1a2b", WIDER, NARROWER),
    ("5e6f", "1a2b", PAGES, 'op.drop_column("books", "pages")'),
    ("7a8b", ("3c4d", "5e6f"), "pass", "pass"),
)
REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = {revision!r}, {parent!r}

def upgrade():
    {up}

def downgrade():
    {down}
"""
STATE = """SELECT (SELECT json_agg(to_jsonb(b) ORDER BY id) FROM books b)::text,
    (SELECT string_agg(attname || format_type(atttypid, atttypmod), ',' ORDER BY attname) FROM pg_attribute
     WHERE attrelid = 'books'::regclass AND attnum > 0 AND NOT attisdropped),
    (SELECT string_agg(indexdef, ',' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'books'),
    (SELECT string_agg(version_num, ',') FROM alembic_version)"""


PROVE = pytest.mark.prove
BOTH = pytest.mark.parametrize(("shape", "driver"), [(SYNC, "psycopg"), (ASYNC, "asyncpg")], ids=["sync", "async"])
SYNC_AT_LEAST = pytest.mark.parametrize(
    ("shape", "driver"),
    [pytest.param(SYNC, "psycopg", id="sync"), pytest.param(ASYNC, "asyncpg", id="async", marks=PROVE)],
)


@dataclass
class Shop:
    """A project of its own, as plain Alembic has it until `adopt`."""

    folder: Path
    url: str
    _started: int = 0

    def adopt(self) -> None:
        """The one line, and the import that it needs."""
        path = self.folder / "env.py"
        env = path.read_text().replace("with context.begin_transaction():", "with online(context):")
        path.write_text(env.replace("import context\n", "import context\nfrom alembic_online import online\n", 1))

    def __call__(self, *command: str, code: int = 0, **variables: str) -> str:
        """What `python -m` of it says, which must end with this code."""
        running = self.start(*command, **variables)
        found, said = running.exit_code(), running.output
        running.end()
        assert found == code, said
        return said

    def start(self, *command: str, **variables: str) -> Program:
        """The same, without waiting for its end."""
        self._started += 1
        return forked_programs.start(
            command[0],
            command[1:],
            folder=self.folder,
            environment=self._environment() | variables,
            log=self.folder / f"{self._started}.log",
        )

    def cold(self, *command: str) -> str:
        """What `alembic` says in a new interpreter, which has imported nothing yet."""
        return subprocess.run(
            [sys.executable, "-m", "alembic.__main__", *command],
            cwd=self.folder,
            env=self._environment() | {"PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ).stdout

    def _environment(self) -> dict[str, str]:
        given = {"SHOP_URL": self.url, "MIGRATION_SMALL_TABLE_BYTES": "0", "MIGRATION_ALLOW_DATA_LOSS": "true"}
        return os.environ | given

    def alembic(self, *command: str, code: int = 0) -> str:
        """The stock command."""
        return self("alembic.__main__", *command, code=code)

    def execute(self, statement: str) -> None:
        """Somebody does it by hand."""
        engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(statement))

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Rows of the database."""
        engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


def make_shop(folder: Path, url: str, shape: str = SYNC, driver: str = "psycopg", options: str = "{}") -> Shop:
    """With a chain of two branches, a merge, and rows."""
    (folder / "versions").mkdir()
    ini = ("[alembic]", "script_location = %(here)s", "prepend_sys_path = .", "path_separator = os")
    (folder / "alembic.ini").write_text("\n".join(ini))
    (folder / "script.py.mako").write_text(TEMPLATE.read_text())
    (folder / "shop.py").write_text(MODELS)
    (folder / "env.py").write_text(TOP.format(driver=driver, options=options) + shape)
    for revision, parent, up, down in CHAIN:
        written = REVISION.format(revision=revision, parent=parent, up=up, down=down)
        (folder / "versions" / f"{revision}_.py").write_text(written)
    return Shop(folder, url)


@pytest.mark.parametrize(
    ("shape", "driver"),
    [(SYNC, "psycopg"), (ASYNC, "asyncpg"), pytest.param(ASYNC, "psycopg", marks=PROVE)],
    ids=["sync", "asyncpg", "psycopg"],
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
    assert type_ == "table" or parents["table_name"] in ("books", "mine")
    return not name.startswith("foreign")

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
    last.write_text(whole.replace("    pass", """    op.add_column("books", sa.Column("isbn", sa.Text))
    op.execute("SELECT 'long', pg_sleep(60)")""", 1))  # fmt: skip
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
    last.write_text(whole)
    shop.alembic("upgrade", "head")
    assert shop.ask("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT ''long''%'") == [(0,)]


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
