"""The fixtures behind `test_migrations`. A project overrides those that do not fit it."""

import pytest
from alembic.config import Config

from alembic_online.revisions.project import open_project
from alembic_online.sample_rows.row_factory import Hints
from alembic_online.testing.kit import CHECKS, Kit


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each check."""
    if "migration_check" in metafunc.fixturenames:
        metafunc.parametrize("migration_check", CHECKS)


@pytest.fixture(scope="session")
def migration_config() -> Config:
    """The project: by default the one that `alembic` would find in the working directory."""
    return Config("alembic.ini", toml_file="pyproject.toml")


@pytest.fixture(scope="session")
def migration_hints() -> Hints:
    """Values for columns whose rules no type and no CHECK tells: `{"books": {"isbn": ["978-3-16-148410-0"]}}`."""
    return {}


@pytest.fixture(scope="session")
def migration_kit(migration_config: Config, migration_hints: Hints) -> Kit:
    """The kit, which remembers what it has walked."""
    return Kit(open_project(migration_config), migration_hints)
