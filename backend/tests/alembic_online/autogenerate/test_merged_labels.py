"""Labels that several old ones become: the rows are moved, and the way back says what it cannot know."""

import psycopg

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.interruption import PATIENT

IMPORTS = "from sqlalchemy import *\n"
MODELS = """
t = Table("t", metadata, Column("id", Integer, primary_key=True),
    Column("kind", Enum({labels}, name="kind"), server_default="open", nullable=False{hint}),
    Column("all", ARRAY(Enum({labels}, name="kind"))), CheckConstraint("kind <> 'closed' OR id > 0", name="ck"))
"""
BEFORE = MODELS.format(labels='"draft", "new", "open", "closed"', hint="")
HINT = ', info={"renamed_from": {"open": ["draft", "new"]}}'
AFTER = MODELS.format(labels='"open", "closed"', hint=HINT)


def test_rows_are_moved_and_nothing_is_asked(project: Project, database: str) -> None:
    project.models(IMPORTS + BEFORE)
    project.alembic(database, "revision", "--autogenerate", "-m", "begin")
    project.alembic(database, "upgrade", "head")
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO t VALUES (1, 'draft', '{new,closed}'), (2, 'new', NULL), (3, 'closed', NULL)")
    project.models(IMPORTS + AFTER)
    project.alembic(database, "revision", "--autogenerate", "-m", "merge them")
    (written,) = [path.read_text() for path in (project.folder / "versions").glob("002*")]
    assert "Rows that hold 'draft' of kind become 'open'." in written
    assert "Which rows held 'new' is not known any more: they became 'open'." in written
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=PATIENT["MIGRATION_SMALL_TABLE_BYTES"])(
        database, "upgrade", "head"
    )
    with psycopg.connect(database) as connection:
        rows = connection.execute('SELECT kind::text, "all"::text FROM t ORDER BY id').fetchall()
    assert rows == [("open", "{open,closed}"), ("open", None), ("closed", None)]
    assert "No new upgrade operations" in project.alembic(database, "check")
    project.alembic(database, "downgrade", "-1")
