"""Server defaults are compared as PostgreSQL prints them: no false difference, and none overlooked."""

import pytest

from tests.safety.project import Project

COLUMN = (
    "from sqlalchemy import text; from sqlalchemy.dialects.postgresql import JSON, JSONB, ARRAY, INTERVAL, NUMERIC\n{}"
)
TABLE = 'Table("books", metadata, Column("id", Integer, primary_key=True), Column("c", {}, server_default={}))'


def models(kind: str, default: str) -> str:
    return COLUMN.format(TABLE.format(kind, default))


DEFAULTS = [
    ("String(20)", '"it\'s"'),
    ("String(20)", "'50% : \"x\"'"),
    ("JSON", "'{}'"),
    ("JSONB", "'{\"a\": [1]}'"),
    ("ARRAY(Integer)", "'{1,2}'"),
    ("ARRAY(String(3))", "'{}'"),
    ("Integer", "'7'"),
    ("Integer", "text('3 + 4')"),
    ("NUMERIC(6, 2)", "text('1.50')"),
    ("INTERVAL", "'1 day'"),
    ("String(36)", "text('gen_random_uuid()')"),
]


@pytest.mark.parametrize(("kind", "default"), DEFAULTS)
def test_an_unchanged_default_is_no_difference(project: Project, database: str, kind: str, default: str) -> None:
    project.models(models(kind, default))
    project.alembic(database, "revision", "--autogenerate", "-m", "add books")
    project.alembic(database, "upgrade", "head")
    assert "No new upgrade operations detected" in project.alembic(database, "check")


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("String(20)", '"it\'s"', '"it\'s not"'),
        ("JSON", "'[]'", "'[1]'"),
        ("Integer", "'7'", "'8'"),
        ("Integer", "'7'", "None"),
        ("Integer", "None", "'7'"),
    ],
)
def test_a_changed_default_is_written(project: Project, database: str, kind: str, before: str, after: str) -> None:
    project.models(models(kind, before))
    project.alembic(database, "revision", "--autogenerate", "-m", "add books")
    project.alembic(database, "upgrade", "head")
    project.models(models(kind, after))
    assert project.alembic.refused(database, "check").exit_code == 20
    project.alembic(database, "revision", "--autogenerate", "-m", "change the default")
    project.alembic(database, "upgrade", "head")
    assert "No new upgrade operations detected" in project.alembic(database, "check")
    project.alembic(database, "downgrade", "-1")
    project.models(models(kind, before))
    project.alembic(database, "stamp", "head")
    assert "No new upgrade operations detected" in project.alembic(database, "check")
