"""An online operation whose process is killed with -9 around every step comes to the same end."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes import (
    cases,
    test_shadow,
    test_shadow_partitions,
    test_shadow_table,
    test_shadow_table_partitions,
)
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import Direct, write
from tests.alembic_online.recipes.interruption import run_killed
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.runner.conftest import start
from tests.alembic_online.runner.processes import Migrator

__all__ = ["start"]

_DIES = "from tests.alembic_online.recipes.interruption import die_as_told; die_as_told()\n    "


@pytest.mark.prove
@pytest.mark.parametrize(
    "case",
    [
        test_shadow_table.CASES[1],
        test_shadow_table_partitions.CASES[0],
        test_shadow.CASES[2],
        test_shadow_partitions.CASES[0],
        cases.CONSTRAINTS[4],
        cases.COLUMNS[1],
    ],
    ids=str,
)
def test_it_converges_though_its_process_is_killed_around_every_step(
    project: Project, database: str, case: Case, directly: Direct, start: Callable[..., Migrator]
) -> None:
    up, _ = directly(case)
    write(project, database, replace(case, upgrade=_DIES + case.upgrade))
    assert run_killed(start, project, database) > 1
    same(up, read_state(database))
