"""Promise: where a part of a change can go before and a part must wait, autogenerate writes a revision for each.

Between the two, what the release before and the one after write is accepted; after both `check` is silent, and the way
back ends where it began.
"""

from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine

from alembic_online.postgres.catalogue import Catalogue, compare, describe, read_catalogue
from alembic_online.runtime.history import BOOKKEEPING
from tests.alembic_online.project import Project
from tests.alembic_online.releases.shop import ON

IMPORTS = """from sqlalchemy import CheckConstraint, Computed, Enum, ForeignKey, Text
from sqlalchemy.dialects.postgresql import DOMAIN
"""
PEOPLE = 'Table("people", metadata, Column("id", Integer, primary_key=True), {})'


@dataclass(frozen=True)
class Pair:
    """The models before and after, a statement of either release, and what stands in the two files."""

    before: str
    after: str
    old_code: str
    new_code: str
    expand: tuple[str, ...]
    contract: tuple[str, ...]


PAIRS = {
    "a column comes, another one goes": Pair(
        PEOPLE.format('Column("mail", String)'),
        PEOPLE.format('Column("email", Text, info={"renamed_from": None})'),
        "INSERT INTO people (mail) VALUES ('a')",
        "INSERT INTO people (email) VALUES ('b')",
        ('op.add_column("people", sa.Column("email"',),
        ('op.drop_column("people", "mail")',),
    ),
    "a column that may not be NULL goes": Pair(
        PEOPLE.format('Column("mail", String, nullable=False, index=True)'),
        PEOPLE.format(""),
        "INSERT INTO people (mail) VALUES ('a')",
        "INSERT INTO people DEFAULT VALUES",
        ('op.alter_column("people", "mail", nullable=True)',),
        ('op.drop_column("people", "mail")',),
    ),
    "a column that may not be NULL comes, with a value of the application's": Pair(
        PEOPLE.format('Column("mail", String)'),
        PEOPLE.format('Column("mail", String), Column("state", String, nullable=False, default="new")'),
        "INSERT INTO people (mail) VALUES ('a')",
        "INSERT INTO people (mail, state) VALUES ('b', 'old')",
        ('sa.Column("state"', "server_default="),
        ('op.alter_column("people", "state"', "server_default=None"),
    ),
    "a label comes, another one goes": Pair(
        PEOPLE.format('Column("state", Enum("new", "open", "closed", name="state"))'),
        PEOPLE.format(
            'Column("state", Enum("new", "open", "gone", name="state"),'
            ' info={"renamed_from": {"gone": None, "new": ["new", "closed"]}})'
        ),
        "INSERT INTO people (state) VALUES ('closed')",
        "INSERT INTO people (state) VALUES ('gone')",
        ("ALTER TYPE state ADD VALUE 'gone'",),
        ("CASE state::text WHEN 'closed' THEN 'new'",),
    ),
    "a key comes with a column": Pair(
        PEOPLE.format('Column("mail", String)'),
        PEOPLE.format('Column("mail", String, unique=True), Column("name", String)'),
        "INSERT INTO people (mail) VALUES ('a')",
        "INSERT INTO people (mail, name) VALUES ('b', 'b')",
        ('sa.Column("name"',),
        ("op.create_unique_constraint(",),
    ),
    "a table comes, another one goes with what refers to it": Pair(
        PEOPLE.format('Column("club_id", ForeignKey("clubs.id"), nullable=False)')
        + '\nTable("clubs", metadata, Column("id", Integer, primary_key=True))',
        PEOPLE.format('Column("team_id", ForeignKey("teams.id"), info={"renamed_from": None})')
        + '\nTable("teams", metadata, Column("id", Integer, primary_key=True), Column("name", Text),'
        ' info={"renamed_from": None})',
        "WITH new AS (INSERT INTO clubs DEFAULT VALUES RETURNING id) SELECT * FROM new",
        "INSERT INTO people (team_id) VALUES (NULL)",
        ('op.create_table(\n        "teams"', 'op.alter_column("people", "club_id"'),
        ('op.drop_table("clubs")', 'op.drop_column("people", "club_id")'),
    ),
    "a column may not be NULL any more, and gets a default": Pair(
        PEOPLE.format('Column("age", Integer)'),
        PEOPLE.format('Column("age", Integer, nullable=False, server_default="7")'),
        "INSERT INTO people (age) VALUES (NULL)",
        "INSERT INTO people DEFAULT VALUES",
        ('op.alter_column("people", "age", server_default=',),
        ('op.alter_column("people", "age", nullable=False)',),
    ),
    "a condition is another one, and a column comes": Pair(
        PEOPLE.format('Column("age", Integer), CheckConstraint("age > 0", name="ck_age")'),
        PEOPLE.format('Column("age", Integer), Column("name", Text), CheckConstraint("age < 0", name="ck_age")'),
        "INSERT INTO people (age) VALUES (1)",
        "INSERT INTO people (age) VALUES (-1)",
        ('op.drop_constraint(op.f("ck_age")', 'sa.Column("name"'),
        ('op.create_check_constraint(op.f("ck_age")',),
    ),
}


def made(project: Project, url: str, models: str, message: str) -> list[Path]:
    """The files that autogenerate writes for these models, the first one first."""
    project.models(IMPORTS + models)
    before = {*(project.folder / "versions").glob("*.py")}
    project.alembic.having(**ON)(url, "revision", "--autogenerate", "-m", message)
    return sorted({*(project.folder / "versions").glob("*.py")} - before)


def catalogue(url: str) -> Catalogue:
    """All of it, without the migrations' own tables."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    with engine.connect() as connection:
        found = read_catalogue(connection, ignore_tables=BOOKKEEPING)
    engine.dispose()
    return found


@pytest.mark.parametrize("name", PAIRS)
def test_both_releases_write_between_the_two(project: Project, database: str, name: str) -> None:
    pair = PAIRS[name]
    alembic = project.alembic.having(**ON, MIGRATION_ALLOW_DATA_LOSS="true")
    made(project, database, pair.before, "one")
    alembic(database, "upgrade", "head")
    before = catalogue(database)
    expand, contract = made(project, database, pair.after, "two")
    texts = expand.read_text(), contract.read_text()
    assert 'phase = "expand"\n' in texts[0]
    assert 'phase = "contract"\n' in texts[1]
    for text, lines in zip(texts, (pair.expand, pair.contract), strict=True):
        assert all(line in text.partition("def downgrade")[0] for line in lines), text
    alembic(database, "upgrade", "+1")
    with psycopg.connect(database) as connection:
        for statement in (pair.old_code, pair.new_code):
            connection.execute(statement)
        connection.rollback()
    alembic(database, "upgrade", "head")
    alembic(database, "check")
    alembic(database, "downgrade", "-2")
    assert not describe(compare(before, catalogue(database)))


CLUBS = PEOPLE + '\nTable("clubs", metadata, Column("id", Integer, primary_key=True))'
MAIL = 'Column("mail", DOMAIN("email", Text, not_null=True)), '
ONE_FILE = {
    "no code writes both types": (
        PEOPLE.format('Column("age", Integer)'),
        PEOPLE.format('Column("age", String), Column("name", Text)'),
    ),
    "the domain of what stays refuses NULL": (
        PEOPLE.format(MAIL + 'Column("name", Text)'),
        PEOPLE.format('Column("name", Text), Column("nick", Text, info={"renamed_from": None})'),
    ),
    "what is computed cannot be written": (
        PEOPLE.format('Column("age", Integer), Column("half", Integer)'),
        PEOPLE.format(
            'Column("age", Integer), Column("half", Integer, Computed("age / 2", persisted=True)), Column("name", Text)'
        ),
    ),
    "the old release relies on ON DELETE CASCADE": (
        CLUBS.format('Column("club_id", ForeignKey("clubs.id", ondelete="CASCADE"))'),
        CLUBS.format('Column("club_id", Integer), Column("name", Text)'),
    ),
}


@pytest.mark.parametrize("name", ONE_FILE)
def test_one_file_where_no_schema_serves_both(project: Project, database: str, name: str) -> None:
    before, after = ONE_FILE[name]
    made(project, database, before, "one")
    project.alembic(database, "upgrade", "head")
    (both,) = made(project, database, after, "two")
    assert 'phase = "contract"' in both.read_text()


HOOKED = """
import os
from alembic import context
from sqlalchemy import Column, Integer, MetaData, String, Table, Text, create_engine, pool
from alembic_online import online

def number(run, revision, directives):
    directives[0].rev_id = "%04d" % (len([*run.script.walk_revisions()]) + 1)

metadata = MetaData()
{models}
url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1)
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, process_revision_directives=number)
    with online(context, expand_contract=True):
        context.run_migrations()
"""


def test_the_contract_stands_on_the_expand_whose_id_a_hook_gives(project: Project, database: str) -> None:
    """And it is written without a message, too."""
    env = project.folder / "env.py"
    for models in ('Column("mail", String)', 'Column("email", Text, info={"renamed_from": None})'):
        env.write_text(HOOKED.format(models=PEOPLE.format(models)))
        project.alembic(database, "revision", "--autogenerate")
        if 'mail", String' in models:
            project.alembic(database, "upgrade", "head")
    (contract,) = (
        each
        for each in (project.folder / "versions").glob("*.py")
        if "drop_column" in each.read_text().partition("def downgrade")[0]
    )
    assert "Revises: 0002" in contract.read_text()
    assert "None" not in contract.read_text().splitlines()[0]
    project.alembic.having(MIGRATION_ALLOW_DATA_LOSS="true")(database, "upgrade", "head")
    project.alembic(database, "check")


def test_one_file_where_nothing_can_go_before(project: Project, database: str) -> None:
    (first,) = made(project, database, PEOPLE.format('Column("mail", String)'), "one")
    assert 'phase = "expand"' in first.read_text()
    project.alembic(database, "upgrade", "head")
    (drop,) = made(project, database, PEOPLE.format(""), "two")
    assert 'phase = "contract"' in drop.read_text()
    project.alembic(database, "upgrade", "head")


def test_a_rename_stays_in_one_file(project: Project, database: str) -> None:
    """A new column beside the old one would be empty."""
    made(project, database, PEOPLE.format('Column("mail", String)'), "one")
    project.alembic(database, "upgrade", "head")
    renamed = 'Column("email", String, info={"renamed_from": "mail"}), Column("name", Text)'
    (both,) = made(project, database, PEOPLE.format(renamed), "two")
    assert 'phase = "contract"' in both.read_text()
    assert "new_column_name" in both.read_text()
