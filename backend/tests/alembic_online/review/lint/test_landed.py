"""What the main branch has: new and edited revisions are told apart, and what its models map is not dropped."""

import subprocess
from pathlib import Path

import pytest
from alembic.config import Config

from alembic_online.review.lint import squawk
from alembic_online.review.lint.check import check, choose, missing
from alembic_online.review.lint.rule import Finding
from alembic_online.revisions.main_branch import main_branch
from alembic_online.revisions.project import open_project
from alembic_online.squash.squash import squash
from tests.alembic_online.project import Project
from tests.alembic_online.review.lint.place import place_of
from tests.paths import BACKEND

BOOKS = 'Table("books", metadata, Column("id", Integer, primary_key=True), Column("a", String), Column("b", String))'
MAKE = (
    'op.create_table("books", *(sa.Column(c, sa.Text) for c in "abc"), sa.Column("id", sa.Integer, primary_key=True))',
    'op.drop_table("books")',
)


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def _commit(project: Project) -> None:
    _git(project.folder, "add", ".")
    _git(project.folder, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "--message=x")


@pytest.fixture
def landed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose first two revisions are on the main branch; its models map a and b, and no longer c."""
    project.models(BOOKS)
    project.revision("001_books", None, *MAKE)
    project.revision("002_more", "001_books")
    _git(project.folder, "init", "--quiet", "--initial-branch=main")
    _commit(project)
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("PYTHONPATH", str(BACKEND))
    return project


def _lint(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.setenv("DATABASE_URL", database)
    opened = open_project(Config(project.folder / "alembic.ini"))
    main = main_branch(project.folder)
    assert main is not None
    return [*check(opened, place_of(database), choose(opened, "", (), main), main), *missing(opened, main)]


def test_what_the_main_branch_has_as_it_is_is_not_looked_at(
    landed: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _lint(landed, database, monkeypatch) == []


def test_a_landed_revision_that_is_deleted_is_found(
    landed: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (landed.folder / "versions" / "002_more.py").unlink()
    found = [(each.rule.code, each.file, each.what) for each in _lint(landed, database, monkeypatch)]
    assert found == [("deleted", "versions/002_more.py", "002_more is not there any more, and main has it.")]


def test_landed_revisions_that_are_squashed_are_not_missed(
    landed: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not looked at again under their new place, whatever is wrong with them: they have run."""
    monkeypatch.setenv("DATABASE_URL", database)
    landed.revision("003_fill", "002_more", """op.execute("UPDATE books SET a = 'x'")""")
    _commit(landed)
    squash(open_project(Config(landed.folder / "alembic.ini")), "003_fill", place_of(database))
    assert _lint(landed, database, monkeypatch) == []
    _commit(landed)
    assert _lint(landed, database, monkeypatch) == []


def test_a_comment_is_no_edit(landed: Project) -> None:
    path = landed.folder / "versions" / "002_more.py"
    path.write_text(path.read_text() + "# a comment\n")
    main = main_branch(landed.folder)
    assert main is not None
    assert main.edited([path]) == set()


def test_a_column_may_only_go_when_the_models_of_the_main_branch_no_longer_map_it(
    landed: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, column in ((3, "b"), (4, "c")):
        up, down = f'op.drop_column("books", "{column}")', f'op.add_column("books", sa.Column("{column}", sa.Text))'
        landed.revision(f"00{number}_drop", f"00{number - 1}_{'more' if number == 3 else 'drop'}", up, down)
    found = _lint(landed, database, monkeypatch)
    assert [each.what for each in found if each.rule.code == "still-mapped"] == [
        "The column books.b goes, or gets another name, and the models of the main branch map it."
    ]


def test_without_git_everything_is_new_that_is_not_applied(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.revision("001_books", None, *MAKE)
    project.revision("002_more", "001_books")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere/x")
    opened = open_project(Config(project.folder / "alembic.ini"))
    assert [script.revision for script in choose(opened, "", ("001_books",))] == ["002_more"]


def test_squawk_reads_the_sql_that_runs() -> None:
    said = squawk.read(["ALTER TABLE a ADD COLUMN b int NOT NULL", "DROP DATABASE shop"])
    assert [each.rule for each in said] == ["adding-required-field", "ban-drop-database"]
