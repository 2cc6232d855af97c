"""Under an engine of the project's own too, a killed upgrade is finished by the next one, and one deploy waits for the
other."""

import signal
from pathlib import Path

import pytest

from tests.alembic_online.own_project import OwnProject
from tests.alembic_online.shop import ASYNC, STATE, SYNC, make_shop

pytestmark = pytest.mark.programs
DRIVERS = pytest.mark.parametrize(
    ("shape", "driver"),
    [
        pytest.param(SYNC, "psycopg", id="psycopg"),
        pytest.param(SYNC, "psycopg2", id="psycopg2", marks=pytest.mark.prove),
        pytest.param(ASYNC, "asyncpg", id="asyncpg", marks=pytest.mark.prove),
    ],
)
DIES = "from tests.alembic_online.recipes.interruption import die_as_told; die_as_told()"
ENOUGH = 60  # runs


@DRIVERS
def test_killed_around_every_step_it_comes_to_the_same_end(
    tmp_path: Path, database: str, shape: str, driver: str
) -> None:
    shop = make_shop(tmp_path, database, shape, driver)
    shop.alembic("upgrade", "head")
    plain = shop.ask(STATE)
    shop.alembic("downgrade", "base")
    shop.adopt()
    for path in tmp_path.glob("versions/*.py"):
        path.write_text(path.read_text().replace("def upgrade():\n", f"def upgrade():\n    {DIES}\n"))
    killed = 0
    while (code := _run(shop, DIES=("1 unnoted", "1 noted", "3 noted")[killed % 3])) != 0:
        assert code == -signal.SIGKILL
        killed += 1
        assert killed < ENOUGH
    assert killed > 5
    assert shop.ask(STATE) == plain


def _run(shop: OwnProject, **variables: str) -> int:
    program = shop.start("alembic.__main__", "upgrade", "head", **variables)
    try:
        return program.exit_code()
    finally:
        program.end()


@DRIVERS
def test_of_several_deploys_at_once_each_succeeds(tmp_path: Path, database: str, shape: str, driver: str) -> None:
    shop = make_shop(tmp_path, database, shape, driver)
    shop.alembic("upgrade", "head")
    plain = shop.ask(STATE)
    shop.alembic("downgrade", "base")
    shop.adopt()
    _at_once(shop, "head")
    assert shop.ask(STATE) == plain


def _at_once(project: OwnProject, target: str) -> None:
    programs = [project.start("alembic.__main__", "upgrade", target) for _ in range(3)]
    codes = [program.exit_code() for program in programs]
    said = [program.output for program in programs]
    for program in programs:
        program.end()
    assert codes == [0, 0, 0], said
