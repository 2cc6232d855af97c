"""`head.txt` makes two new revisions a conflict in git, and stands in nobody's way at a deploy."""

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic_online.revisions.head_file import check_head_file, conflicting_heads
from tests.alembic_online.project import NOWHERE, Project
from tests.paths import BACKEND

CONFLICT = "<<<<<<< HEAD\n002_mine\n||||||| base\n001_a\n=======\n002_theirs\n>>>>>>> main\n"


def _scripts(project: Project) -> ScriptDirectory:
    return ScriptDirectory.from_config(Config(project.folder / "alembic.ini"))


def test_our_own_names_the_head() -> None:
    scripts = ScriptDirectory.from_config(Config(BACKEND / "alembic.ini"))
    check_head_file(scripts)
    assert (BACKEND / "migrations" / "head.txt").exists()


def test_revision_and_merge_write_the_heads(project: Project) -> None:
    project.revision("001_a")
    file = project.folder / "head.txt"
    project.alembic(NOWHERE, "revision", "-m", "left")
    assert file.read_text() == "002_left\n"
    project.alembic(NOWHERE, "revision", "-m", "right", "--head", "001_a", "--splice")
    assert file.read_text() == "002_left\n003_right\n"
    project.alembic(NOWHERE, "merge", "-m", "both", "heads")
    assert file.read_text() == "004_both\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("001_other\n", "head.txt says 001_other, and the chain ends at 001_a."),
        ("", "head.txt says nothing, and the chain ends at 001_a."),
        (CONFLICT, "head.txt has a conflict: another branch added a revision too."),
    ],
)
def test_one_that_disagrees_is_a_sentence_where_revisions_are_made_and_no_hindrance_to_an_upgrade(
    project: Project, database: str, text: str, sentence: str
) -> None:
    project.revision("001_a")
    (project.folder / "head.txt").write_text(text)
    for command in (["revision", "-m", "more"], ["check"]):
        code, stderr = project.alembic.refused(database, *command)
        assert (code, stderr.splitlines()[0]) == (14, sentence)
    project.alembic(database, "upgrade", "head")


def test_the_two_sides_of_a_conflict_are_read(project: Project) -> None:
    (project.folder / "head.txt").write_text(CONFLICT)
    assert conflicting_heads(_scripts(project)) == (["002_mine"], ["002_theirs"])
    (project.folder / "head.txt").write_text("002_mine\n")
    assert conflicting_heads(_scripts(project)) is None
