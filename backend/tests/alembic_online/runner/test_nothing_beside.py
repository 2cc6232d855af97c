"""A strong lock is held for its own statement: journal and settings come before it, proof and stamp after it."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.watch import watching

_TABLES = """
    CREATE TABLE authors (id int PRIMARY KEY, born int);
    CREATE TABLE logs (id int, year int) PARTITION BY LIST (year);
    CREATE TABLE logs_2026 (id int, year int);
    CREATE FUNCTION widen() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE authors ADD COLUMN note text; END $$
"""
_LAST = {
    "a DO block": 'op.execute("DO $$ BEGIN ALTER TABLE authors ADD COLUMN note text; END $$")',
    "a function": 'op.execute("SELECT widen()")',
    "a partition": 'op.execute("ALTER TABLE logs ATTACH PARTITION logs_2026 FOR VALUES IN (2026)")',
    "an index made again": 'op.execute("REINDEX TABLE authors")',
    "a foreign key, and a setting": """op.execute("SET LOCAL work_mem = '8MB'")
    op.execute("CREATE TABLE books (id int REFERENCES authors)")""",
    "outside of any transaction": """with op.get_context().autocommit_block():
        op.execute("ALTER TABLE authors ADD COLUMN note text")""",
    "a lock of its own": """op.execute("LOCK TABLE authors IN ACCESS EXCLUSIVE MODE")
    op.execute("ALTER TABLE authors ADD COLUMN note text")
    op.create_index("ix_born", "authors", ["born"])""",
    "a constraint by hand, in two steps": """op.execute("ALTER TABLE authors ADD CHECK (born > 0) NOT VALID")
    op.execute("ALTER TABLE authors VALIDATE CONSTRAINT authors_born_check")""",
    "a name, after a commit of its own": """op.get_bind().commit()
    op.rename_table("authors", "writers")""",
}


@pytest.mark.parametrize("lines", _LAST.values(), ids=_LAST)
def test_nothing_is_asked_or_written_beside_the_lock_of_the_last_statement(
    project: Project, database: str, lines: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(_TABLES)
    project.revision("001_a", upgrade=lines)
    with watching(database, ["authors", "writers", "logs", "logs_2026"]) as watch:
        project.alembic(database, "upgrade", "head")
    assert watch.beside == []
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("001_a",)]


_ROWS = """
    CREATE TABLE authors (id int PRIMARY KEY, born int);
    INSERT INTO authors SELECT i, i FROM generate_series(1, 9) i
"""
_RELEASED = """op.execute("SAVEPOINT s")
    op.execute("ALTER TABLE authors ADD COLUMN note text")
    op.execute("RELEASE SAVEPOINT s")
    op.execute("UPDATE authors SET note = 'x'")"""


def test_rows_are_written_when_a_savepoint_is_released_and_its_lock_let_go_of(project: Project, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(_ROWS)
    project.revision("001_a", upgrade=_RELEASED)
    with watching(database, ["authors"]) as watch:
        project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")(database, "upgrade", "head")
    assert [each for each in watch.beside if "UPDATE authors" in each] == []


_BLOCKS = {
    "two blocks": """op.execute("DO $$ BEGIN ALTER TABLE authors ADD COLUMN note text; END $$")
    op.execute("DO $$ BEGIN UPDATE books SET author = 2; END $$")""",
    "a block that asks, and rows": """op.execute("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_attribute WHERE attname ="
        " 'note') THEN ALTER TABLE authors ADD COLUMN note text; END IF; END $$")
    op.execute("UPDATE authors SET note = 'x'")""",
    "a block that catches, and an index": """op.execute("DO $x$ BEGIN ALTER TABLE authors ADD COLUMN note text;"
        " EXCEPTION WHEN duplicate_column THEN NULL; END $x$")
    op.create_index("ix_born", "authors", ["born"])""",
}


@pytest.mark.parametrize("lines", _BLOCKS.values(), ids=_BLOCKS)
def test_what_a_block_locks_of_a_large_table_is_let_go_of(project: Project, database: str, lines: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(f"{_ROWS}; CREATE TABLE books (author int); INSERT INTO books VALUES (1)")
    project.revision("001_a", upgrade=lines)
    with watching(database, ["authors"]) as watch:
        project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")(database, "upgrade", "head")
    assert watch.beside == []


def test_what_a_block_drops_and_the_next_one_makes_again_is_not_missed(project: Project, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(f"{_ROWS}; ALTER TABLE authors ADD CONSTRAINT ck CHECK (born < 100)")
    project.revision(
        "001_a",
        upgrade="""op.execute("DO $$ BEGIN ALTER TABLE authors DROP CONSTRAINT ck; END $$")
    op.execute("DO $$ BEGIN ALTER TABLE authors ADD CONSTRAINT ck CHECK (born < 50); END $$")""",
    )
    wrong = (
        "DO $$ BEGIN INSERT INTO authors VALUES (0, 999); RAISE 'let in'; EXCEPTION WHEN check_violation THEN END $$"
    )
    with watching(database, ["authors"], [wrong]) as watch:
        project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")(database, "upgrade", "head")
    assert watch.failures == {}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            """op.execute("LOCK TABLE authors IN SHARE ROW EXCLUSIVE MODE")
    op.execute("UPDATE authors SET born = born + 1")""",
            "001_a locks authors in line 11, and clients would wait for as long as line 12 works: UPDATE authors",
        ),
    ],
)
def test_what_would_write_rows_beside_a_lock_is_refused_or_allowed_by_name(
    project: Project, database: str, lines: str, says: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(_ROWS)
    path = project.revision("001_a", upgrade=lines)
    patient = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")
    code, stderr = patient.refused(database, "upgrade", "head")
    assert (code, says in stderr, "Nothing of 001_a was changed" in stderr) == (18, True, True), stderr
    path.write_text(path.read_text().replace("down_revision", 'direct = {"authors": "nobody minds"}\ndown_revision'))
    patient(database, "upgrade", "head")
