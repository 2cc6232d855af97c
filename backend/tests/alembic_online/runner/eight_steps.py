"""A revision of eight steps, in three forms, with a fault before the step of one's choice."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from alembic_online.postgres.catalogue import Catalogue, compare, describe, read_catalogue
from alembic_online.runtime.history import BOOKKEEPING
from tests.alembic_online.project import Project

State = tuple[Catalogue, dict[str, list[Any]]]
REVISION = "001_eight"
AFTER_THE_LAST = 9
_FILE = '''\
"""Eight steps."""

import os
import signal

import psycopg
import sqlalchemy as sa
from alembic import op

revision = "001_eight"
down_revision = None


def fault(before: int) -> None:
    """What the test asks for: this process killed, or its session ended from outside."""
    kind, _, step = os.environ.get("FAULT", "").partition(":")
    if step != str(before):
        return
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    pid = op.get_bind().exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


def upgrade() -> None:
{body}


def downgrade() -> None:
    raise NotImplementedError
'''

TRANSACTIONAL = [
    "CREATE TABLE shelves (id integer PRIMARY KEY, name text)",
    "INSERT INTO shelves VALUES (1, 'one'), (2, 'two')",
    "CREATE TABLE books (id integer PRIMARY KEY, shelf integer)",
    "ALTER TABLE books ADD COLUMN title text NOT NULL DEFAULT 'none'",
    "INSERT INTO books SELECT i, 1 FROM generate_series(1, 50) i",
    "CREATE INDEX ix_books_shelf ON books (shelf)",
    "ALTER TABLE books ADD CONSTRAINT fk_books_shelf FOREIGN KEY (shelf) REFERENCES shelves",
    "UPDATE books SET shelf = 3 - shelf",
]
# A step twice in the same words is two steps (3 and 7), and the last adds up if it is done twice.
AUTOCOMMIT = [
    "CREATE TYPE mood AS ENUM ('calm')",
    "CREATE TABLE books (mood mood, read integer DEFAULT 0)",
    "INSERT INTO books (mood) VALUES ('calm')",
    "ALTER TYPE mood ADD VALUE 'merry'",
    "INSERT INTO books (mood) VALUES ('merry')",
    "ALTER TABLE books ADD COLUMN title text",
    "INSERT INTO books (mood) VALUES ('calm')",
    "UPDATE books SET read = read + 1",
]
CONCURRENT = [
    "CREATE TABLE books (id integer, shelf integer CONSTRAINT ck_books_old CHECK (shelf >= 0))",
    "INSERT INTO books SELECT i, 1 FROM generate_series(1, 50) i",
    "CREATE INDEX CONCURRENTLY ix_books_shelf ON books (shelf)",
    "ALTER TABLE books ADD CONSTRAINT ck_books_shelf CHECK (shelf > 0) NOT VALID",
    "ALTER TABLE books VALIDATE CONSTRAINT ck_books_shelf",
    "CREATE UNIQUE INDEX CONCURRENTLY uq_books_id ON books (id)",
    "DROP INDEX CONCURRENTLY ix_books_shelf",
    "UPDATE books SET shelf = shelf + 1",
]
FORMS: Mapping[str, Sequence[str]] = {
    "transactional": TRANSACTIONAL,
    "autocommit": AUTOCOMMIT,
    "concurrent": CONCURRENT,
}
forms = pytest.mark.parametrize("form", FORMS)
# What takes but an instant and stops clients waits for the next step that needs it.
WAITS = {("concurrent", 4)}
# The step that is made long, and where each form of the revision then is: is anything committed before it?
LONG = {"transactional": 5, "autocommit": 7, "concurrent": 8}
_IN_BLOCK = {"transactional": (), "autocommit": range(3, 8), "concurrent": ()}


def write(project: Project, form: str, **instead: str) -> None:
    """Write the revision; `step5="..."` puts another statement in the place of the fifth."""
    lines, indent = [], "    "
    for number, statement in enumerate(FORMS[form], start=1):
        inside = number in _IN_BLOCK[form]
        if inside and indent == "    ":
            lines.append("    with op.get_context().autocommit_block():")
        indent = "        " if inside else "    "
        lines += [f"{indent}fault({number})", f'{indent}op.execute("{instead.get(f"step{number}", statement)}")']
    body = "\n".join([*lines, f"    fault({AFTER_THE_LAST})"])
    (project.folder / "versions" / f"{REVISION}.py").write_text(_FILE.format(body=body))


def state(url: str) -> State:
    """The whole schema and all rows, but for the bookkeeping."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        tables = connection.scalars(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        )
        rows = {
            table: sorted(map(tuple, connection.exec_driver_sql(f"SELECT * FROM {table}")))
            for table in sorted(set(tables) - set(BOOKKEEPING))
        }
        catalogue = read_catalogue(connection, ignore_tables=BOOKKEEPING)
    engine.dispose()
    return catalogue, rows


def same(one: State, other: State) -> None:
    """Fail, and say what differs."""
    differences = compare(one[0], other[0])
    assert not differences, describe(differences)
    assert one[1] == other[1]
