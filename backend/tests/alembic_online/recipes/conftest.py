"""What the direct way makes of each case, to compare with."""

from collections.abc import Callable
from functools import cache

import psycopg
import pytest

from tests.alembic_online.project import Project, make_project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.interruption import DIRECT, PATIENT, run_interrupted
from tests.alembic_online.recipes.state import State, read_state, same
from tests.servers import Server

Direct = Callable[[Case], tuple[State, State]]


def write(project: Project, url: str, case: Case) -> None:
    """Make what is there before, and write the revision."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(case.before)
    project.revision("001_a", upgrade=case.upgrade, downgrade=case.downgrade)


@pytest.fixture(scope="session")
def directly(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Direct:
    """`directly(case)` is the database after the upgrade and after the downgrade, both carried out directly."""

    @cache
    def both(case: Case) -> tuple[State, State]:
        project = make_project(tmp_path_factory.mktemp("direct"))
        alembic = project.alembic.having(**DIRECT)
        with server.database() as url:
            write(project, url, case)
            alembic(url, "upgrade", "head")
            up = read_state(url)
            alembic(url, "downgrade", "base")
            return up, read_state(url)

    return both


def the_way_up_converges(project: Project, database: str, case: Case, directly: Direct) -> State:
    """Fail unless it ends where the direct way does, though its session ends around every step; the state below it."""
    up, down = directly(case)
    write(project, database, case)
    assert run_interrupted(project, database, "upgrade", "head") > 0
    same(up, read_state(database))
    return down


def both_ways_converge(project: Project, database: str, case: Case, directly: Direct) -> None:
    """The same, up and down."""
    down = the_way_up_converges(project, database, case, directly)
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
