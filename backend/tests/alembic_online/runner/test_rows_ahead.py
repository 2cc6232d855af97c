"""Rows that break a rule of a later line are named before anything of the revision is done."""

import psycopg
import pytest

from tests.alembic_online.project import Project

_TABLES = """
    CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people VALUES (1);
    CREATE TABLE t (id int PRIMARY KEY, mail text, boss int);
    INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 7), (3, NULL, NULL)
"""
_ADD = 'op.add_column("t", sa.Column("note", sa.Text))'
_COLUMNS = "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'note' AND NOT attisdropped"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ('op.create_unique_constraint("uq", "t", ["mail"])', "uq on t: values that occur more than once (1)"),
        ('op.create_index("uq", "t", ["mail"], unique=True)', "uq on t: values that occur more than once (1)"),
        ('op.create_check_constraint("ck", "t", "boss < 5")', "ck on t: rows that break it (1)"),
        (
            'op.create_foreign_key("fk", "t", "people", ["boss"], ["id"])',
            "fk on t: rows that refer to nothing in people (1)",
        ),
        ('op.alter_column("t", "mail", nullable=False)', "NOT NULL on t.mail: rows without a value (1)"),
        ('op.execute("ALTER TABLE t ALTER mail SET NOT NULL")', "NOT NULL on t.mail: rows without a value (1)"),
        ('op.execute("ALTER TABLE t ADD CHECK (boss < 5)")', "the new check on t: rows that break it (1)"),
    ],
)
def test_nothing_is_changed(project: Project, database: str, rule: str, says: str) -> None:
    project.revision("001_a", upgrade=f"{_ADD}\n    op.create_index('ix', 't', ['boss'])\n    {rule}")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(_TABLES)
        code, stderr = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0").refused(database, "upgrade", "head")
        assert (code, f"In the way of {says}" in stderr, "Nothing of 001_a was changed" in stderr) == (
            18,
            True,
            True,
        ), stderr
        assert connection.execute(_COLUMNS).fetchone() == (0,)


@pytest.mark.parametrize(
    "lines",
    [
        """op.execute("DELETE FROM t WHERE id = 2")
    op.create_unique_constraint("uq", "t", ["mail"])""",
        """op.drop_column("t", "mail")
    op.add_column("t", sa.Column("mail", sa.Text))
    op.create_unique_constraint("uq", "t", ["mail"])""",
        """op.execute("INSERT INTO people VALUES (7)")
    op.create_foreign_key("fk", "t", "people", ["boss"], ["id"])""",
        """op.create_index("ix", "t", ["boss"])
    if op.get_bind().execute(sa.text("DELETE FROM t WHERE boss = 7")).rowcount:
        pass
    op.create_check_constraint("ck", "t", "boss < 5")""",
        """op.rename_table("t", "old")
    op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("mail", sa.Text))
    op.create_unique_constraint("uq", "t", ["mail"])""",
    ],
)
def test_what_a_line_above_may_change_is_not_looked_at(project: Project, database: str, lines: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(_TABLES)
    project.revision("001_a", upgrade=lines)
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")(database, "upgrade", "head")
