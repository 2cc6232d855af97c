"""A label that is new to an enum can be used after a commit only: a revision that adds one may use it all the same."""

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from tests.alembic_online.project import Project

IMPORTS = "from sqlalchemy import *\nfrom alembic_online.postgres.declared import *\n"
BEFORE = """
t = Table("t", metadata, Column("id", Integer, primary_key=True),
    Column("kind", Enum("a", "b", name="kind"), server_default="a", nullable=False), Column("other", Text))
"""
AFTER = """
t = Table("t", metadata, Column("id", Integer, primary_key=True),
    Column("kind", Enum("a", "new", "b", name="kind"), server_default="new", nullable=False),
    Column("other", Enum("a", "new", "b", name="kind")), CheckConstraint("kind <> 'new' OR id > 1", name="ck"))
Index("i", t.c.id, postgresql_where=text("kind = 'new'"))
declare(metadata, SQLObject("CREATE VIEW v AS SELECT id FROM t WHERE kind = 'new'"))
"""


@pytest.fixture
def upgraded(project: Project, database: str) -> str:
    """The URL of a database with a row, that has got the new label and all that uses it by one revision."""
    project.models(IMPORTS + BEFORE)
    project.alembic(database, "revision", "--autogenerate", "-m", "begin")
    project.alembic(database, "upgrade", "head")
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO t (other) VALUES ('b')")
    project.models(IMPORTS + AFTER)
    project.alembic(database, "revision", "--autogenerate", "-m", "add a label")
    project.alembic(database, "upgrade", "head")
    return database


def test_a_revision_may_use_the_label_that_it_adds(project: Project, upgraded: str) -> None:
    assert "No new upgrade operations" in project.alembic(upgraded, "check")
    with psycopg.connect(upgraded) as connection:
        connection.execute("INSERT INTO t VALUES (2)")
        assert connection.execute("SELECT kind, other FROM t ORDER BY id").fetchall() == [("a", "b"), ("new", None)]
        connection.rollback()
    project.alembic(upgraded, "downgrade", "-1")
    with psycopg.connect(upgraded) as connection:
        assert connection.execute("SELECT enum_range(NULL::kind)::text, other FROM t").fetchall() == [("{a,b}", "b")]


def test_a_label_that_rows_hold_is_not_taken_away(project: Project, upgraded: str) -> None:
    with psycopg.connect(upgraded) as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    with pytest.raises(DBAPIError, match='invalid input value for enum kind: "new"'):
        project.alembic(upgraded, "downgrade", "-1")
    assert "No new upgrade operations" in project.alembic(upgraded, "check")


@pytest.mark.prove
def test_a_check_of_a_domain_comes_back(project: Project, database: str) -> None:
    """In one transaction with reads of the catalogue PostgreSQL 18.4 refuses to add what it has just dropped."""
    domain = """declare(metadata, SQLObject("CREATE DOMAIN slug AS text{}"))"""
    for check in ("", " CONSTRAINT ck CHECK (VALUE <> '')"):
        project.models(IMPORTS + domain.format(check))
        project.alembic(database, "revision", "--autogenerate", "-m", "a domain")
        project.alembic(database, "upgrade", "head")
    for step in ("-1", "+1"):
        project.alembic(database, "upgrade" if step == "+1" else "downgrade", step)
    assert "No new upgrade operations" in project.alembic(database, "check")
