"""The test kit on our own chain: up, down, up with rows and without, in all surroundings."""

import pytest
from alembic.config import Config

from alembic_online.revisions.project import open_project
from alembic_online.testing import Kit, test_migrations
from alembic_online.testing.plugin import pytest_generate_tests
from tests.paths import BACKEND
from tests.servers import Server

__all__ = ["pytest_generate_tests", "test_migrations"]


@pytest.fixture(scope="session")
def migration_kit(server: Server) -> Kit:
    """On the server of the tests."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", server.admin)
        return Kit(open_project(Config(BACKEND / "alembic.ini")))
