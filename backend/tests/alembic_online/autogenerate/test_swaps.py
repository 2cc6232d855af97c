"""Two that swap their names by hints, in one revision: each keeps what it holds, and it is done once."""

import psycopg

from tests.alembic_online.project import Project

IMPORTS = "from sqlalchemy import *\n"
BEFORE = """
Table("cats", metadata, Column("id", Integer, primary_key=True), Column("name", Text, unique=True),
    Column("sound", Text, server_default="meow"), Column("colour", Text),
    Column("mood", Enum("up", "down", name="mood")))
Table("dogs", metadata, Column("id", Integer, primary_key=True), Column("name", Text, index=True),
    Column("cat", ForeignKey("cats.id")))
Table("left", metadata, Column("id", Integer, primary_key=True))
Table("right", metadata, Column("id", Integer, primary_key=True))
"""
AFTER = """
Table("dogs", metadata, Column("id", Integer, primary_key=True), Column("name", Text, unique=True),
    Column("colour", Text, server_default="meow", info={"renamed_from": "sound"}),
    Column("sound", Text, info={"renamed_from": "colour"}),
    Column("mood", Enum("down", "up", name="mood"), info={"renamed_from": {"up": "down", "down": "up"}}),
    info={"renamed_from": "cats"})
Table("cats", metadata, Column("id", Integer, primary_key=True), Column("name", Text, index=True),
    Column("cat", ForeignKey("dogs.id")), info={"renamed_from": "dogs"})
Table("left", metadata, Column("id", Integer, primary_key=True), info={"renamed_from": "right"})
Table("right", metadata, Column("id", Integer, primary_key=True), info={"renamed_from": "left"})
"""
ROWS = """
INSERT INTO cats (name, colour, mood) VALUES ('Tom', 'grey', 'up'), ('Kit', 'red', 'down');
INSERT INTO dogs (name, cat) VALUES ('Rex', 2);
INSERT INTO "left" VALUES (1); INSERT INTO "right" VALUES (2)
"""
CATS = """
SELECT json_agg(t) FROM (SELECT id, name, {} AS sound, {} AS colour, mood::text FROM {} ORDER BY id) t
"""


def test_two_of_a_kind_swap_their_names_and_keep_their_rows(project: Project, database: str) -> None:
    project.models(IMPORTS + BEFORE)
    project.alembic(database, "revision", "--autogenerate", "-m", "begin")
    project.alembic(database, "upgrade", "head")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(ROWS)
        cats = connection.execute(CATS.format("sound", "colour", "cats")).fetchall()
        project.models(IMPORTS + AFTER)
        written = project.alembic(database, "revision", "--autogenerate", "-m", "swap")
        told = [line for line in written.splitlines() if "renamed" in line]
        assert [line.strip() for line in told if "constraint" not in line and "sequence" not in line] == [
            "table: renamed from dogs",
            "index ix_cats_name: renamed from ix_dogs_name",
            "table: renamed from cats",
            "column colour: renamed from sound",
            "column sound: renamed from colour",
            "table: renamed from right",
            "enum mood: label up renamed to down",
            "enum mood: label down renamed to up",
            "table: renamed from left",
        ]
        project.alembic(database, "upgrade", "head")
        swapped = connection.execute(CATS.format("colour", "sound", "dogs")).fetchall()
        assert str(swapped).replace("down", "up") == str(cats).replace("down", "up") != str(swapped)
        assert connection.execute('SELECT id FROM "left"').fetchall() == [(2,)]
        connection.execute("INSERT INTO dogs (name) VALUES ('Pia'); INSERT INTO cats (name, cat) VALUES ('Max', 3)")
        assert "No new upgrade operations" in project.alembic(database, "check")
        project.alembic(database, "downgrade", "-1")
        assert connection.execute(CATS.format("sound", "colour", "cats WHERE id < 3")).fetchall() == cats
