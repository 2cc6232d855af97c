"""An online operation whose process is killed with -9 around every step comes to the same end."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.safety.apply.conftest import start
from tests.safety.apply.processes import Migrator
from tests.safety.online import (
    cases,
    test_shadow,
    test_shadow_partitions,
    test_shadow_table,
    test_shadow_table_partitions,
)
from tests.safety.online.cases import Case
from tests.safety.online.conftest import Direct, write
from tests.safety.online.interruption import run_killed
from tests.safety.online.state import read_state, same
from tests.safety.project import Project

__all__ = ["start"]

_DIES = "from tests.safety.online.interruption import die_as_told; die_as_told()\n    "


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
