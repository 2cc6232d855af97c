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
