"""At hand in every test of the toolkit: the small project, and migrators in processes of their own."""

from collections.abc import Callable, Iterator

import pytest

from tests.alembic_online.project import project
from tests.alembic_online.runner.processes import Migrator, migrators

__all__ = ["project"]


@pytest.fixture
def start() -> Iterator[Callable[..., Migrator]]:
    """`start(project, url, "upgrade", "head")` begins a migration in a process of its own, which may be killed."""
    with migrators() as begin:
        yield begin
