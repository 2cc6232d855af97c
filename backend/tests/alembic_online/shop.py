"""A small project of its own, as plain Alembic has it, and with the one line of its env.py changed."""

from pathlib import Path

from tests.alembic_online.own_project import OwnProject

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
URL = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+{driver}:")
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


def make_shop(folder: Path, url: str, shape: str = SYNC, driver: str = "psycopg", options: str = "{}") -> OwnProject:
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
    return OwnProject(folder, url)
