"""What the direct way makes of each case, to compare with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.alembic_command import Alembic
from tests.alembic_online.project import Project, make_project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.interruption import DIRECT, PATIENT, run_interrupted
from tests.alembic_online.recipes.state import State, read_state, same
from tests.servers import Server


def write(project: Project, url: str, case: Case) -> None:
    """Make what is there before, and write the revision."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(case.before)
    project.revision("001_a", upgrade=case.upgrade, downgrade=case.downgrade)


@dataclass
class Direct:
    """What the direct way makes of a case, carried out once."""

    _server: Server
    _folder: Callable[[], Path]
    _up: dict[Case, State] = field(default_factory=dict)
    _down: dict[Case, State] = field(default_factory=dict)

    def up(self, case: Case) -> State:
        """The database after the upgrade."""
        if case not in self._up:
            with self._upgraded(case):
                pass
        return self._up[case]

    def __call__(self, case: Case) -> tuple[State, State]:
        """After the upgrade, and after the downgrade that follows it."""
        if case not in self._down:
            with self._upgraded(case) as (alembic, url):
                alembic(url, "downgrade", "base")
                self._down[case] = read_state(url)
        return self._up[case], self._down[case]

    @contextmanager
    def _upgraded(self, case: Case) -> Iterator[tuple[Alembic, str]]:
        project = make_project(self._folder())
        alembic = project.alembic.having(**DIRECT)
        with self._server.database() as url:
            write(project, url, case)
            alembic(url, "upgrade", "head")
            self._up[case] = read_state(url)
            yield alembic, url


@pytest.fixture(scope="session")
def directly(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Direct:
    """`directly(case)` is the database after the upgrade and after the downgrade, both carried out directly."""
    return Direct(server, lambda: tmp_path_factory.mktemp("direct"))


def the_way_up_converges(project: Project, database: str, case: Case, directly: Direct) -> None:
    """Fail unless it ends where the direct way does, though its session ends around every step."""
    up = directly.up(case)
    write(project, database, case)
    assert run_interrupted(project, database, "upgrade", "head") > 0
    same(up, read_state(database))


def both_ways_converge(project: Project, database: str, case: Case, directly: Direct) -> None:
    """The same, up and down."""
    _, down = directly(case)
    the_way_up_converges(project, database, case, directly)
    assert run_interrupted(project, database, "downgrade", "base") > 0
    same(down, read_state(database))


def both_ways_end_as_directly(project: Project, database: str, case: Case, directly: Direct) -> None:
    """Fail unless the online way, up and down, ends where the direct way does."""
    up, down = directly(case)
    write(project, database, case)
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    same(up, read_state(database))
    project.alembic.having(**PATIENT)(database, "downgrade", "base")
    same(down, read_state(database))
