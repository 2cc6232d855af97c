"""A small project of its own, as plain Alembic has it, and with the one line of its env.py changed."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

from tests import forked_programs
from tests.forked_programs import Program

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
