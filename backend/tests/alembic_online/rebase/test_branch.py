"""Which revisions are mine is said by me, by git, or by the conflict in head.txt; what others use keeps its name."""

import subprocess

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic_online.errors import RequestRefused
from alembic_online.rebase.branch import find_branch
from tests.alembic_online.project import Project


@pytest.fixture
def forked(project: Project) -> Project:
    """001_a, on top of it 002_theirs, and 002_mine with 003_mine."""
    for revision, parent in (("001_a", None), ("002_theirs", "001_a"), ("002_mine", "001_a"), ("003_mine", "002_mine")):
        project.revision(revision, parent)
    return project


def _scripts(project: Project) -> ScriptDirectory:
    return ScriptDirectory.from_config(Config(project.folder / "alembic.ini"))


def _git(project: Project, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=project.folder, check=True, capture_output=True)


def _refusal(project: Project, revision: str | None = None, onto: str | None = None) -> str:
    with pytest.raises(RequestRefused) as refusal:
        find_branch(_scripts(project), revision, onto, None)
    return refusal.value.problem


@pytest.mark.parametrize("said", ["002_mine", "003"])
def test_it_is_said_by_any_of_its_revisions(forked: Project, said: str) -> None:
    found = find_branch(_scripts(forked), said, None, None)
    assert found is not None
    assert (found.ids, found.onto, found.base) == (["002_mine", "003_mine"], "002_theirs", "001_a")


def test_it_is_what_the_main_branch_of_git_does_not_have(forked: Project) -> None:
    _git(forked, "init", "-b", "main")
    _git(forked, "add", "versions/001_a.py", "versions/002_theirs.py")
    _git(forked, "commit", "-m", "theirs")
    found = find_branch(_scripts(forked), None, None, None)
    assert found is not None
    assert found.ids == ["002_mine", "003_mine"]


def test_it_is_our_side_of_the_conflict_in_head_txt(forked: Project) -> None:
    (forked.folder / "head.txt").write_text("<<<<<<< HEAD\n003_mine\n=======\n002_theirs\n>>>>>>> main\n")
    found = find_branch(_scripts(forked), None, None, None)
    assert found is not None
    assert found.ids == ["002_mine", "003_mine"]


def test_in_the_middle_of_a_git_rebase_mine_are_what_git_calls_theirs(project: Project) -> None:
    """The branch is called stem, so that nothing but the conflict tells."""
    (project.folder / ".gitignore").write_text("__pycache__\n")
    for revision, parent, branch in (
        ("001_a", None, ""),
        ("002_theirs", "001_a", "stem"),
        ("002_mine", "001_a", "mine"),
    ):
        if branch:
            _git(project, "checkout", *(["-b", "mine", "stem~1"] if branch == "mine" else ["stem"]))
        else:
            _git(project, "init", "-b", "stem")
        project.revision(revision, parent)
        (project.folder / "head.txt").write_text(f"{revision}\n")
        _git(project, "add", ".")
        _git(project, "commit", "-m", revision)
    with pytest.raises(subprocess.CalledProcessError):
        _git(project, "rebase", "stem")
    assert (project.folder / "head.txt").read_text().splitlines()[1] == "002_theirs"  # git's "ours"
    found = find_branch(_scripts(project), None, None, None)
    assert found is not None
    assert (found.ids, found.onto) == (["002_mine"], "002_theirs")


def test_one_head_is_nothing_to_rebase(project: Project) -> None:
    project.revision("001_a")
    assert find_branch(_scripts(project), None, None, None) is None


def test_nobody_says_which(forked: Project) -> None:
    assert _refusal(forked) == (
        "Neither git's main branch nor head.txt says which of 002_theirs and 003_mine is yours."
    )


def test_no_guess_is_made_among_three_heads(forked: Project) -> None:
    forked.revision("002_third", "001_a")
    assert _refusal(forked, "003_mine") == "There are 3 heads."
    found = find_branch(_scripts(forked), "003_mine", "002_third", None)
    assert found is not None
    assert found.onto == "002_third"


def test_what_others_build_on_keeps_its_name(forked: Project) -> None:
    path = forked.revision("003_theirs", "002_theirs")
    path.write_text(path.read_text() + 'depends_on = "002_mine"\n')
    assert _refusal(forked, "003_mine") == "003_theirs, which is not yours, refers to 002_mine."


@pytest.mark.parametrize(
    ("said", "words"),
    [("001_a", "001_a is on no branch of its own."), ("009_x", "No revision is called '009_x'.")],
)
def test_a_name_that_says_no_branch_is_refused(forked: Project, said: str, words: str) -> None:
    assert _refusal(forked, said) == words
