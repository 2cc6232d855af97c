"""Rows that break a rule of a later line are named before anything of the revision is done."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.state import read_state, same

_TABLES = """
    CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people VALUES (1);
    CREATE TABLE t (id int PRIMARY KEY, mail text, boss int);
    INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 7), (3, NULL, NULL);
    CREATE TYPE mood AS ENUM ('calm', 'merry'); CREATE TABLE moods (id int PRIMARY KEY, mood mood, number bigint);
    INSERT INTO moods VALUES (1, 'merry', 4000000000), (2, 'calm', 1)
"""
_ENUM = """op.rename_table("moods", "feelings")
    op.execute("ALTER TYPE mood RENAME TO mood_old")
    {made}
    op.execute("ALTER TABLE feelings ALTER mood TYPE mood USING mood::text::mood")"""
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
    ("lines", "says"),
    [
        (_ENUM.format(made="""op.execute("CREATE TYPE mood AS ENUM ('calm')")"""), "the new type of moods.mood"),
        (_ENUM.format(made='sa.Enum("calm", name="mood").create(op.get_bind())'), "the new type of moods.mood"),
        (
            _ENUM.format(
                made="""bind = op.get_bind()
    mood = sa.Enum("calm", name="mood")
    mood.create(bind, checkfirst=True)"""
            ),
            "the new type of moods.mood",
        ),
        (
            """op.alter_column("moods", "number", new_column_name="size")
    op.alter_column("moods", "size", type_=sa.Integer())""",
            "the new type of moods.number",
        ),
        (
            """op.rename_table("t", "people_of_t")
    op.rename_table("people", "t")
    op.alter_column("people_of_t", "boss", new_column_name="chief")
    op.create_foreign_key("fk", "people_of_t", "t", ["chief"], ["id"])""",
            "fk on t: rows that refer to nothing in people (1)",
        ),
        (
            """op.alter_column("t", "boss", new_column_name="chief")
    op.create_check_constraint("ck", "t", "chief < 5")""",
            "ck on t: rows that break it (1)",
        ),
        (
            """op.alter_column("t", "mail", new_column_name="address")
    op.create_unique_constraint("uq", "t", ["address"])""",
            "uq on t: values that occur more than once (1)",
        ),
        (
            """op.alter_column("t", "mail", new_column_name="address")
    op.alter_column("t", "address", nullable=False)""",
            "NOT NULL on t.mail: rows without a value (1)",
        ),
    ],
)
def test_rows_are_found_under_a_name_that_a_line_above_gives(
    project: Project, database: str, lines: str, says: str
) -> None:
    project.revision("001_a", upgrade=lines)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(_TABLES)
    before = read_state(database)
    _, stderr = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0").refused(database, "upgrade", "head")
    assert f"In the way of {says}" in stderr
    assert "Generating static SQL" not in stderr
    same(before, read_state(database))


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
        """op.alter_column("t", "mail", new_column_name="address")
    op.add_column("t", sa.Column("mail", sa.Text, server_default="none"))
    op.alter_column("t", "mail", nullable=False)""",
        """op.alter_column("t", "mail", new_column_name="other")
    op.alter_column("t", "id", new_column_name="mail")
    op.create_unique_constraint("uq", "t", ["mail"])""",
        """kinds = op.create_table("kinds", sa.Column("id", sa.Integer, primary_key=True))
    op.bulk_insert(kinds, [{"id": 1}])
    op.create_check_constraint("ck", "moods", "id > 0")""",
        """op.create_index("ix", "moods", ["number"])
    sa.Enum("calm", name="mood").create(op.get_bind(), checkfirst=True)
    op.execute("ALTER TABLE moods ALTER mood TYPE mood USING mood::text::mood")""",
    ],
)
def test_what_a_line_above_may_change_is_not_looked_at(project: Project, database: str, lines: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(_TABLES)
    project.revision("001_a", upgrade=lines)
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")(database, "upgrade", "head")
