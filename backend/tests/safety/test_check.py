"""`alembic check` says in a few lines what differs, and exits with a code of its own."""

from tests.safety.project import Project

BOOKS = 'Table("books", metadata, Column("id", Integer, primary_key=True){})'


def test_a_difference_is_shown_as_the_line_that_autogenerate_would_write(project: Project, database: str) -> None:
    project.models(BOOKS.format(""))
    project.alembic(database, "revision", "--autogenerate", "-m", "add books")
    project.alembic(database, "upgrade", "head")
    project.models(BOOKS.format(', Column("title", String(20))'))
    code, stderr = project.alembic.refused(database, "check")
    assert code == 20
    assert stderr.startswith(
        "Models and database differ in 1 place; autogenerate would write:\n  op.add_column('books'"
    )
    assert len(stderr.splitlines()) == 3


def test_many_differences_stay_within_eight_lines(project: Project, database: str) -> None:
    project.models("\n".join(f'Table("t{n}", metadata, Column("id", Integer, primary_key=True))' for n in range(9)))
    code, stderr = project.alembic.refused(database, "check")
    assert (code, len(stderr.splitlines())) == (20, 7)
    assert "... and 5 more" in stderr


def test_a_mistake_in_the_models_is_a_sentence(project: Project, database: str) -> None:
    project.models('from sqlalchemy import ForeignKey; Table("books", metadata, Column("a", ForeignKey("gone.id")))')
    code, stderr = project.alembic.refused(database, "check")
    assert (code, stderr.startswith("The models cannot be read: ")) == (16, True)
    assert "Traceback" not in stderr
