"""What has landed is read from git as it stands: whatever the main branch is called, and whatever the checkout is."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from alembic_online.errors import RequestRefused
from alembic_online.revisions.main_branch import MainBranch, main_branch

ODD = "Größe 100% 'neu'"
WHO = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *WHO, *arguments], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True)
class Repository:
    """Revisions in a folder with an odd name, in a repository."""

    root: Path

    @property
    def versions(self) -> Path:
        """Where the revisions are."""
        return self.root / ODD / "versions"

    def write(self, name: str, text: str = "") -> Path:
        """A revision file."""
        self.versions.mkdir(parents=True, exist_ok=True)
        path = self.versions / f"{name}.py"
        path.write_text(f"revision = {name!r}\n{text}\n", encoding="utf-8")
        return path

    def commit(self) -> None:
        """All that is there."""
        git(self.root, "add", ".")
        git(self.root, "commit", "-m", "x")

    def at(self, root: Path) -> "Repository":
        """Another checkout of it."""
        return Repository(root)

    def main(self, named: str | None = None) -> MainBranch:
        """Its main branch."""
        found = main_branch(self.versions, named)
        assert found is not None
        return found

    def gone(self, named: str | None = None) -> list[str]:
        """The ids of landed revisions that are not there any more."""
        known = {path.stem for path in self.versions.glob("*.py")}
        return [revision for revision, _ in self.main(named).gone([self.versions], known)]

    def seen(self, named: str | None = None) -> tuple[set[str], set[str], list[str]]:
        """New, edited and gone ones."""
        main, paths = self.main(named), list(self.versions.glob("*.py"))
        new, edited = ({path.stem for path in found} for found in (main.new(paths), main.edited(paths)))
        return new, edited, self.gone(named)


@pytest.fixture
def landed(tmp_path: Path) -> Repository:
    """001, 002 and 003 are on the branch main, which is checked out."""
    made = Repository(tmp_path / "origin")
    for name in ("001_a", "002_ü", "003_c"):
        made.write(name)
    git(made.root, "init", "-b", "main")
    made.commit()
    return made


def change(repository: Repository) -> None:
    """002 is edited, 003 is deleted, and 004 is new."""
    repository.write("002_ü", "edited = True")
    (repository.versions / "003_c.py").unlink()
    repository.write("004_d")


CHANGED = ({"004_d"}, {"002_ü"}, ["003_c"])


def test_nothing_has_changed(landed: Repository) -> None:
    assert landed.seen() == (set(), set(), [])


def test_new_edited_and_deleted_revisions_are_told_apart(landed: Repository) -> None:
    change(landed)
    assert landed.seen() == CHANGED


@pytest.mark.parametrize("name", ["master", "trunk"])
def test_the_main_branch_may_have_another_name(landed: Repository, name: str) -> None:
    git(landed.root, "branch", "-m", name)
    git(landed.root, "checkout", "-b", "mine")
    change(landed)
    landed.commit()
    assert (landed.main().name, landed.seen()) == (name, CHANGED)


def test_it_may_be_named(landed: Repository) -> None:
    git(landed.root, "branch", "-m", "stem")
    git(landed.root, "checkout", "-b", "mine")
    change(landed)
    assert main_branch(landed.versions) is None
    assert landed.seen("stem") == CHANGED
    with pytest.raises(RequestRefused, match="git knows no branch 'bark' here"):
        landed.main("bark")


def test_a_clone_follows_its_origin_whatever_that_calls_it(landed: Repository, tmp_path: Path) -> None:
    git(landed.root, "branch", "-m", "stem")
    git(tmp_path, "clone", str(landed.root), "clone")
    clone = landed.at(tmp_path / "clone")
    git(clone.root, "checkout", "--detach")
    change(clone)
    clone.commit()
    assert (clone.main().name, clone.seen()) == ("origin/HEAD", CHANGED)
    git(clone.root, "branch", "-D", "stem")
    assert (clone.main("stem").name, clone.seen("stem")) == ("origin/stem", CHANGED)


def test_a_shallow_clone_tells_new_and_edited_ones(landed: Repository, tmp_path: Path) -> None:
    git(landed.root, "checkout", "-b", "mine")
    change(landed)
    landed.commit()
    git(landed.root, "checkout", "main")
    git(tmp_path, "clone", "--depth=1", "--branch=mine", "--no-single-branch", f"file://{landed.root}", "clone")
    new, edited, gone = landed.at(tmp_path / "clone").seen()
    assert (new, edited) == CHANGED[:2]
    assert gone == []  # whether main had it then, this clone does not know


def test_in_a_worktree(landed: Repository, tmp_path: Path) -> None:
    git(landed.root, "worktree", "add", "-b", "mine", str(tmp_path / "tree"))
    tree = landed.at(tmp_path / "tree")
    change(tree)
    assert tree.seen() == CHANGED


def test_in_a_hook_which_is_told_of_its_repository(landed: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    change(landed)
    monkeypatch.setenv("GIT_DIR", str(landed.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(landed.root / ".git" / "index"))
    assert landed.seen() == CHANGED


def test_what_came_to_the_main_branch_since_is_neither_gone_nor_edited(landed: Repository) -> None:
    git(landed.root, "branch", "mine")
    landed.write("003_c", "a_comment_came = 'later'")
    landed.write("004_theirs")
    landed.commit()
    git(landed.root, "checkout", "mine")
    landed.write("004_mine")
    assert landed.seen() == ({"004_mine"}, set(), [])


def test_what_the_main_branch_has_taken_away_itself_is_not_missed(landed: Repository) -> None:
    git(landed.root, "branch", "mine")
    for branch in ("main", "mine"):
        git(landed.root, "checkout", branch)
        (landed.versions / "003_c.py").unlink()
        landed.commit()
    assert landed.seen() == (set(), set(), [])


def test_a_revision_that_moved_is_still_there_and_one_under_another_id_is_not(landed: Repository) -> None:
    (landed.versions / "003_c.py").rename(landed.versions / "2026_c.py")
    main = landed.main()
    assert list(main.gone([landed.versions], {"001_a", "002_ü", "003_c"})) == []
    assert [revision for revision, _ in main.gone([landed.versions], {"001_a", "002_ü", "003_d"})] == ["003_c"]


def test_a_landed_file_that_python_cannot_read_is_only_text(landed: Repository) -> None:
    path = landed.write("005_e", "def upgrade(:")
    landed.commit()
    path.write_text("revision = '005_e'\n")
    assert landed.seen() == (set(), {"005_e"}, [])


def test_what_lies_outside_of_the_repository_is_nobodys_here(landed: Repository, tmp_path: Path) -> None:
    stranger = tmp_path / "elsewhere.py"
    stranger.write_text("revision = '009'")
    main = landed.main()
    assert (main.new([stranger]), main.edited([stranger]), list(main.gone([tmp_path], set()))) == (set(), set(), [])


def test_a_repository_that_git_does_not_trust_is_not_taken_for_none(
    landed: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(RequestRefused, match="it belongs to another user"):
        landed.main()


def test_without_git_there_is_none(tmp_path: Path) -> None:
    assert main_branch(tmp_path) is None
