"""`alembic check` says in words what differs, grouped by table, and exits with a code of its own."""

import pytest

from alembic_online.errors import ModelsDiffer
from tests.alembic_online.project import Project

BOOKS = 'Table("books", metadata, Column("id", Integer, primary_key=True, autoincrement=False){})'


def test_what_differs_is_said_in_words_by_table(project: Project, database: str) -> None:
    project.models(BOOKS.format(', Column("title", String(20))'))
    table = 'op.create_table("books", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False){})'
    project.revision("001_a", None, table.format(', sa.Column("title", sa.Text, server_default="x")'))
    project.alembic(database, "upgrade", "head")
    with pytest.raises(ModelsDiffer) as refused:
        project.alembic(database, "check")
    assert refused.value.words == [
        "books",
        "  column title: default 'x'::text -> none",
        "  column title: type text -> varchar(20)",
    ]


def test_the_terminal_shows_how_many_and_the_next_step(project: Project, database: str) -> None:
    project.models("\n".join(BOOKS.format("").replace("books", f"t{n}") for n in range(9)))
    code, stderr = project.alembic.refused(database, "check")
    assert code == 20
    assert stderr.splitlines() == [
        "Models and database differ in 9 places (database -> models).",
        'Write it down: alembic revision --autogenerate -m "..."',
    ]


@pytest.mark.parametrize("mistake", ['Column("a", ForeignKey("gone.id"))', 'Column("a")', 'Column("a", Enum("x"))'])
def test_a_mistake_in_the_models_is_a_sentence(project: Project, database: str, mistake: str) -> None:
    project.models(f'from sqlalchemy import Enum, ForeignKey; Table("books", metadata, {mistake})')
    code, stderr = project.alembic.refused(database, "check")
    assert (code, stderr.startswith("The models cannot be read: ")) == (16, True)
    assert "Traceback" not in stderr


def test_models_that_postgresql_refuses_are_a_sentence(project: Project, database: str) -> None:
    project.models(
        'from sqlalchemy import text; Table("t", metadata, Column("a", Integer, server_default=text("gone()")))'
    )
    code, stderr = project.alembic.refused(database, "check")
    assert (code, stderr.splitlines()[0]) == (16, "The models cannot be built: function gone() does not exist.")
