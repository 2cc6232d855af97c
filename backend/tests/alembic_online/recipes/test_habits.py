"""Revisions as people write them end as plain Alembic ends them, up and down and up, and hold nobody up."""

import threading
import time
from contextlib import closing
from pathlib import Path
from textwrap import indent

import psycopg
import pytest

from tests.alembic_online.project import Project, make_project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.chain_of_definitions import SECOND
from tests.alembic_online.recipes.chain_of_rows import FIRST
from tests.alembic_online.recipes.habits import HABITS, SHOP
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.meanwhile import meanwhile
from tests.alembic_online.recipes.state import read_state, same
from tests.longer_proofs import every
from tests.servers import Server, with_driver

_DIALECT = "from sqlalchemy.dialects import postgresql\n    "
_PLAIN = """\
import os

from alembic import context
from sqlalchemy import NullPool, create_engine

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
with create_engine(url, poolclass=NullPool).connect() as bind:
    context.configure(connection=bind, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""


def write(project: Project, url: str, case: Case) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(case.before)
    project.revision("001_a", upgrade=_DIALECT + case.upgrade, downgrade=_DIALECT + case.downgrade)


@pytest.mark.parametrize("case", every(23, HABITS))
def test_it_ends_as_plain_alembic_does(
    project: Project, database: str, server: Server, tmp_path_factory: pytest.TempPathFactory, case: Case
) -> None:
    plain = make_project(tmp_path_factory.mktemp("plain"))
    Path(plain.folder / "env.py").write_text(_PLAIN)
    with server.database() as other:
        write(project, database, case)
        write(plain, other, case)
        for way in (("upgrade", "head"), ("downgrade", "base"), ("upgrade", "head")):
            project.alembic.having(**PATIENT)(database, *way)
            plain.alembic(other, *way)
            same(read_state(other), read_state(database))


@pytest.mark.parametrize("case", [each for each in HABITS if "names" in each.name])
def test_on_asyncpg_too(project: Project, database: str, case: Case) -> None:
    write(project, database, case)
    project.alembic.having(**PATIENT)(with_driver(database, "asyncpg"), "upgrade", "head")


def write_chain(project: Project, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(SHOP)
    parent = None
    for number, (words, body) in enumerate([*FIRST, *SECOND]):
        code = indent(f"# {words}\nfrom sqlalchemy.dialects import postgresql\nbind = op.get_bind()\n{body}", "    ")
        name = f"{number:03d}_a"
        project.revision(name, parent, code.strip())
        parent = name


@pytest.mark.prove
@pytest.mark.parametrize("small", ["0", "1e12"])
def test_a_chain_of_them_ends_as_plain_alembic_does(
    project: Project, database: str, server: Server, tmp_path_factory: pytest.TempPathFactory, small: str
) -> None:
    plain = make_project(tmp_path_factory.mktemp("plain"))
    Path(plain.folder / "env.py").write_text(_PLAIN)
    with server.database() as other:
        write_chain(project, database)
        write_chain(plain, other)
        plain.alembic(other, "upgrade", "head")
        project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small)(database, "upgrade", "head")
        same(read_state(other), read_state(database))


def test_who_waits_for_a_row_that_it_has_written_is_not_waited_for(project: Project, database: str) -> None:
    upgrade = (
        "op.execute(\"UPDATE customers SET grade = 'silver' FROM pg_sleep(0.5)\")\n"
        '    op.alter_column("customers", "grade", server_default="silver")'
    )
    write(project, database, Case("rows, then their table", upgrade, "pass", SHOP))
    longest, over = [0.0], threading.Event()

    def buy() -> None:
        with closing(psycopg.connect(database, autocommit=True)) as session:
            while not over.is_set():
                begun = time.monotonic()
                session.execute("UPDATE customers SET name = name WHERE id = 7")
                longest[0] = max(longest[0], time.monotonic() - begun)
                over.wait(0.01)  # a customer has something else to do, and so has the machine

    client = threading.Thread(target=buy)
    client.start()
    try:
        project.alembic(database, "upgrade", "head")
    finally:
        over.set()
        client.join()
    assert longest[0] < 5


@pytest.mark.parametrize("around", ["if True:", "with op.get_bind().begin_nested():"])
def test_rows_of_a_large_table_are_not_written_under_its_lock(project: Project, database: str, around: str) -> None:
    upgrade = (
        f'{around}\n        op.add_column("orders", sa.Column("seen", sa.Boolean(), nullable=True))\n'
        '    op.execute("UPDATE orders SET seen = false")'
    )
    write(project, database, Case("a column, then its rows", upgrade, "pass", SHOP))
    held: list[str] = []

    def look() -> None:
        with psycopg.connect(database) as session:
            locks = session.execute("SELECT mode FROM pg_locks WHERE relation = 'orders'::regclass AND granted")
            held.extend(mode for (mode,) in locks)

    with meanwhile(look, "UPDATE orders SET seen"):
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert "AccessExclusiveLock" not in held
