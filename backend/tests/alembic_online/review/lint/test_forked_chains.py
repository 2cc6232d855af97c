"""Branches, merges and squashed chains: each revision is tried for itself, and sound ones are never flagged."""

import pytest
from alembic.config import Config

from alembic_online.review.lint.check import check, choose
from alembic_online.revisions.project import open_project
from alembic_online.squash.squash import squash
from alembic_online.testing.files import numbering
from alembic_online.testing.round_trip import RoundTrip
from tests.alembic_online.project import Project
from tests.alembic_online.review.lint.place import place_of

TABLE = 'op.create_table("books", sa.Column("id", sa.Integer, primary_key=True))'


def _column(project: Project, revision: str, parent: str, downgrade: str = "") -> None:
    name = revision.partition("_")[2]
    add, drop = f'op.add_column("books", sa.Column("{name}", sa.Integer))', f'op.drop_column("books", "{name}")'
    project.revision(revision, parent, add, downgrade or drop)


@pytest.fixture
def merged(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two branches that add a column each, their merge, and a revision on top of it."""
    monkeypatch.setenv("DATABASE_URL", database)
    project.revision("001_books", None, TABLE, 'op.drop_table("books")')
    _column(project, "002_mine", "001_books")
    _column(project, "003_theirs", "001_books")
    project.revision("004_merge", ("002_mine", "003_theirs"))
    _column(project, "005_pages", "004_merge")
    return project


def _lint(project: Project, database: str) -> list[tuple[str, str]]:
    opened = open_project(Config(project.folder / "alembic.ini"))
    found = check(opened, place_of(database), choose(opened, "all", ()))
    return [(each.revision, each.rule.code) for each in found if each.rule.code != "message"]


def test_only_the_branch_and_the_merge_that_undo_too_little_are_found(merged: Project, database: str) -> None:
    _column(merged, "002_mine", "001_books", 'op.execute("SELECT 1")')
    leave = 'op.execute("CREATE TABLE left_behind (n int)")'
    merged.revision("004_merge", ("002_mine", "003_theirs"), leave, 'op.execute("SELECT 1")')
    assert _lint(merged, database) == [("002_mine", "undo"), ("004_merge", "undo")]


def test_a_squashed_chain_is_sound_for_lint_and_for_the_kit(merged: Project, database: str) -> None:
    squash(open_project(Config(merged.folder / "alembic.ini")), "004_merge", place_of(database))
    assert _lint(merged, database) == []
    opened = open_project(Config(merged.folder / "alembic.ini"))
    assert [*numbering(opened), *RoundTrip.along(opened, None).findings] == []
