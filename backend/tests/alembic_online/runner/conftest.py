"""A project that logs as the real one does, and a look into the database."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.alembic_online.project import Project, make_project
from tests.alembic_online.runner import eight_steps
from tests.paths import BACKEND
from tests.servers import Server

_REAL_INI = BACKEND / "migrations" / "alembic.ini"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh project that logs as the real one does."""
    made = make_project(tmp_path)
    ini = made.folder / "alembic.ini"
    ini.write_text(ini.read_text() + _REAL_INI.read_text().partition("revision_environment = true\n")[2])
    return made


@pytest.fixture
def watcher(database: str) -> Iterator[psycopg.Connection]:
    """The superuser's session, in autocommit."""
    with psycopg.connect(database, autocommit=True) as session:
        yield session


@pytest.fixture(scope="session")
def undisturbed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, eight_steps.State]:
    """What each form of the revision makes when nothing happens to it."""
    made = {}
    for form in eight_steps.FORMS:
        project = make_project(tmp_path_factory.mktemp(form))
        eight_steps.write(project, form)
        with server.database() as url:
            project.alembic(url, "upgrade", "head")
            made[form] = eight_steps.state(url)
    return made
