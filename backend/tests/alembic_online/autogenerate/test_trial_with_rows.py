"""A revision is tried with rows before it is written: what fails only then is mended, or said in the file."""

import runpy
from pathlib import Path

import psycopg
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import NullPool, create_engine

from tests.alembic_online.project import Project

MODELS = """
from sqlalchemy import *
Table("site", metadata, Column("id", Integer, primary_key=True))
Table("post", metadata, Column("id", Integer, primary_key=True), Column("site_id", ForeignKey("site.id", name="fk",
    deferrable=True, initially="DEFERRED"){strict}), Column("title", Text){more})
"""
CODE = """, Column("code", Text, nullable=False, server_default="x"){}"""


def _written(project: Project, url: str, **after: str) -> Path:
    """The revision from the models with nothing more to those that have this more."""
    project.models(MODELS.format(strict="", more=""))
    project.alembic(url, "revision", "--autogenerate", "-m", "begin")
    project.alembic(url, "upgrade", "head")
    project.models(MODELS.format(**{"strict": "", "more": "", **after}))
    project.alembic(url, "revision", "--autogenerate", "-m", "change it")
    (path,) = (project.folder / "versions").glob("002*")
    return path


def test_deferred_checks_are_made_before_the_table_changes(project: Project, database: str) -> None:
    path = _written(project, database, strict=", default=1, nullable=False", more=CODE.format(""))
    with psycopg.connect(database) as session:
        session.execute("INSERT INTO site VALUES (1); INSERT INTO post (title) VALUES ('t')")
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        runpy.run_path(str(path))["upgrade"]()  # as plain Alembic does
        assert connection.exec_driver_sql("SELECT site_id, code FROM post").all() == [(1, "x")]


def test_what_a_new_column_breaks_in_any_rows_is_said_and_what_depends_on_them_is_not(
    project: Project, database: str
) -> None:
    checks = ', UniqueConstraint("code", name="uq"), CheckConstraint("title = id::text", name="ck")'
    path = _written(project, database, more=CODE.format(checks))
    assert [line.strip() for line in path.read_text().splitlines() if "with rows" in line] == [
        '# On tables with rows the upgrade fails: could not create unique index "uq"'
    ]
