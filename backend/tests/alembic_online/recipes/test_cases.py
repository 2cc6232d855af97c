"""Each change, carried out the online way, ends where the direct way ends: undisturbed, interrupted, as a script."""

import subprocess

import pytest

from alembic_online.postgres.embedded import program
from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import ALL, COLUMNS, CONSTRAINTS, Case
from tests.alembic_online.recipes.conftest import Direct, both_ways_converge, both_ways_end_as_directly, write
from tests.alembic_online.recipes.killed import Start, converges_though_killed
from tests.alembic_online.recipes.state import read_state, same
from tests.longer_proofs import every

every_case = pytest.mark.parametrize("case", ALL, ids=str, scope="module")  # the tests of one follow each other


@every_case
def test_it_ends_as_the_direct_way_does(project: Project, database: str, case: Case, directly: Direct) -> None:
    both_ways_end_as_directly(project, database, case, directly)


@pytest.mark.parametrize("case", every(len(ALL), ALL), scope="module")
def test_it_converges_though_its_session_ends_around_every_step(
    project: Project, database: str, case: Case, directly: Direct
) -> None:
    both_ways_converge(project, database, case, directly)


@pytest.mark.parametrize("case", every(7, ALL), scope="module")
def test_its_script_does_the_same(project: Project, database: str, case: Case, directly: Direct) -> None:
    if case.asks_the_catalogue:
        pytest.skip("a script cannot know the partitions")
    up, down = directly(case)
    write(project, database, case)
    run_script(database, project.alembic(database, "upgrade", "head", "--sql"))
    same(up, read_state(database))
    run_script(database, project.alembic(database, "downgrade", "001_a:base", "--sql"))
    same(down, read_state(database))


@pytest.mark.prove
@pytest.mark.parametrize("case", [CONSTRAINTS[4], COLUMNS[1]], ids=str)
def test_it_converges_though_its_process_is_killed_around_every_step(
    project: Project, database: str, case: Case, directly: Direct, start: Start
) -> None:
    converges_though_killed(start, project, database, case, directly)


def run_script(url: str, script: str) -> None:
    """As a person would, with psql."""
    command = [str(program("psql")), url, "--quiet", "--set=ON_ERROR_STOP=1"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
