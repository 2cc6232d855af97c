"""Each work in another process begins as a new process would: nothing of the one before is there, and another seed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config

from alembic_online.errors import RequestRefused
from alembic_online.revisions.project import Project as Opened
from alembic_online.revisions.project import open_project
from alembic_online.testing.other_process import OtherProcess, ProcessFailed
from alembic_online.testing.round_trip import RoundTrip
from alembic_online.testing.sandbox import on_ground
from alembic_online.testing.separate_processes import by_processes
from tests.alembic_online.project import Project, make_project

TABLE = 'sa.left_here = "nickname"; op.create_table("authors", sa.Column("id", sa.Integer, primary_key=True))'
DEPENDS = 'op.add_column("authors", sa.Column(getattr(sa, "left_here", "other"), sa.Text))'


def leave_something(_: Opened) -> bool:
    """Whether something was there; it is then."""
    there = "left_behind" in vars(sa)
    vars(sa)["left_behind"] = True
    return there


def order(_: Opened) -> list[str]:
    """That of a set, for this seed."""
    return list({"a", "b", "c", "d", "e"})


def refuse(_: Opened) -> None:
    """It cannot be done."""
    raise RequestRefused("This is refused.", "Ask for less.")


def break_down(_: Opened) -> None:
    """An error that nobody has thought of."""
    raise ZeroDivisionError("by nothing")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The second revision depends on what the first has left in the process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", "postgresql://nowhere/x")
        project = make_project(tmp_path_factory.mktemp("other"))
        project.revision("001_authors", None, TABLE, 'op.drop_table("authors")')
        project.revision("002_column", "001_authors", DEPENDS)
        yield project


def _open(project: Project) -> Opened:
    return open_project(Config(Path(project.folder, "alembic.ini")))


@pytest.mark.prove
@pytest.mark.programs
def test_nothing_is_left_whatever_happens_and_seeds_differ(made: Project) -> None:
    opened = _open(made)
    with OtherProcess(opened, seed=1) as one, OtherProcess(opened, seed=2) as two:
        assert not one.ask(leave_something)
        with pytest.raises(ProcessFailed, match="This is refused"):
            one.ask(refuse)
        with pytest.raises(ProcessFailed, match="ZeroDivisionError: by nothing"):
            one.ask(break_down)
        assert not one.ask(leave_something)
        assert one.ask(order) != two.ask(order)


def test_a_revision_that_needs_what_another_has_left_in_the_process_is_found(
    made: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    opened = _open(made)
    in_one = RoundTrip.along(opened, None).made
    with OtherProcess(opened, seed=1) as other:
        found = on_ground(opened, lambda ground: list(by_processes(ground, in_one, [other])))
    alone = "in a process of its own it makes another schema: authors: column"
    assert found == [("002_column", f"{alone} nickname: removed"), ("002_column", f"{alone} other: added")]
