"""What PostgreSQL says on empty copies before a type is changed: a trial that fails does not make the change free."""

import psycopg
import pytest

from alembic_online.recipes.names import literal
from tests.alembic_online.project import Project
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.recipes.statements import statements

CHUNKS = """
    CREATE EXTENSION vector; CREATE TABLE chunks (id integer PRIMARY KEY, v vector(3));
    INSERT INTO chunks SELECT i, ARRAY[i, 1, 1] FROM generate_series(1, 40) i;
    CREATE INDEX ix_chunks ON chunks USING hnsw (v vector_l2_ops);
"""
TO, FROM = "ALTER TABLE chunks ALTER v TYPE vector(3)", "ALTER TABLE chunks ALTER v TYPE vector"
PARTS = """
    CREATE TABLE logs (id integer, line varchar(9)) PARTITION BY RANGE (id);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (9);
    INSERT INTO logs VALUES (1, 'x');
"""


@pytest.mark.parametrize("small", ["0", "1e9"])
def test_a_type_by_which_an_index_could_not_be_built_again_is_refused_whatever_the_size(
    project: Project, database: str, small: str
) -> None:
    project.revision("001_a", upgrade=f"op.execute({FROM!r})")
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(CHUNKS)
    before = read_state(database)
    code, stderr = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small).refused(database, "upgrade", "head")
    assert code == 18, stderr
    assert "PostgreSQL could not build ix_chunks again: column does not have dimensions." in stderr
    same(before, read_state(database))


def test_with_its_index_dropped_before_it_it_is_free(project: Project, database: str) -> None:
    project.revision("001_a", upgrade=f'op.drop_index("ix_chunks", "chunks")\n    op.execute({FROM!r})')
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(CHUNKS)
    with statements() as sent:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert any(each.startswith("ALTER TABLE chunks ALTER COLUMN v TYPE") for each in sent)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        # The table cannot be copied with such an index: so nothing is known.
        (f"{CHUNKS}; {FROM}", TO),
        # An index, or a CHECK, that only a partition has.
        (f"{PARTS}; CREATE INDEX ON logs_1 ((line || 'x'))", "ALTER TABLE logs ALTER line TYPE text"),
        (f"{PARTS}; ALTER TABLE logs_1 ADD CHECK (line <> '')", "ALTER TABLE logs ALTER line TYPE text"),
        # An expression that calls the table by its name.
        (
            "CREATE TABLE logs (line varchar(9)); INSERT INTO logs VALUES ('x')",
            "ALTER TABLE logs ALTER line TYPE text USING logs.line || 'x'",
        ),
    ],
)
def test_what_is_not_known_to_be_free_is_done_beside_the_old_column(
    project: Project, database: str, before: str, change: str
) -> None:
    project.revision("001_a", upgrade=f"op.execute({change!r})")
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(before)
    with statements() as sent:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert not any(
        each.startswith(("ALTER TABLE chunks ALTER COLUMN v ", "ALTER TABLE logs ALTER COLUMN")) for each in sent
    )
    table, kind = ("chunks", "vector(3)") if "vector" in change else ("logs", "text")
    column = f"SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = {literal(table)}::regclass"
    with psycopg.connect(database) as session:
        assert (kind,) in session.execute(f"{column} AND attname IN ('v', 'line')").fetchall()
