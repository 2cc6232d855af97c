"""Real databases for every test: a server of each version, and a new database cloned from a template a test.

`--database` chooses the servers: `embedded` (default), `container`, or a URL of a server where databases may be made.
`--postgres` chooses the versions of the first two.
"""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, create_engine

from alembic_online.postgres.embedded import VERSIONS
from tests import servers
from tests.alembic_command import Alembic
from tests.longer_proofs import mark_longer_proofs, runs_on_another_version
from tests.paths import BACKEND
from tests.servers import Server, ServerDirectory, container, embedded, existing, require_docker

# The service runs on one version, the first that is asked for; migrations are proved on all of them.
_OF_THE_HOST = ("api", "course", "documents", "inference")
# Whoever has to do with a server gets it by one of these.
_SERVERS = {"server", "server_directory"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", default="embedded", metavar="embedded|container|URL", help="the servers to test on")
    parser.addoption("--postgres", default="18,16", metavar="VERSIONS", help="versions of PostgreSQL, by comma")


def pytest_configure(config: pytest.Config) -> None:
    """Say what is wrong with the options before any worker starts."""
    chosen = config.option.postgres.split(",")
    if config.option.database == "embedded" and not set(chosen) <= {str(version) for version in VERSIONS}:
        raise pytest.UsageError(f"--postgres={config.option.postgres}: the embedded versions are {VERSIONS}")
    servers.share_data()  # workers inherit it
    if config.option.database == "container" and not hasattr(config, "workerinput"):
        require_docker()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        one = not metafunc.config.option.database.isalpha()
        versions = ["url"] if one else metafunc.config.option.postgres.split(",")
        path = metafunc.definition.path
        if path.relative_to(BACKEND / "tests").parts[0] in _OF_THE_HOST or (
            metafunc.config.option.markexpr == "not prove" and not runs_on_another_version(path)
        ):
            versions = versions[:1]
        metafunc.parametrize("server", versions, indirect=True, ids=lambda version: f"pg{version}", scope="session")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What asks for no server is `pure`; what the rule of longer_proofs.py leaves to it is `prove`."""
    for item in items:
        if not _SERVERS.intersection(getattr(item, "fixturenames", ())) and not item.get_closest_marker("programs"):
            item.add_marker("pure")
    mark_longer_proofs(config, items)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests that stay are no garbage: to look through them was a seventh of the time that this takes.

    And a twentieth of all that comes after it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name a failure when it happens: a run that is cut off never comes to its summary."""
    if report.failed and not os.environ.get("PYTEST_XDIST_WORKER"):
        sys.stderr.write(f"\nFAILED {report.nodeid} ({report.when})\n")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A PostgreSQL server, once for each version."""
    choice = request.config.option.database
    if choice == "embedded":
        made = embedded(int(request.param))
    elif choice == "container":
        made = container(int(request.param))
    else:
        made = existing(choice)
    with made as running:
        yield running


@pytest.fixture(scope="session")
def server_directory() -> ServerDirectory:
    """`with server_directory() as directory`: where a test has a server of its own."""
    return servers.server_directory


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The URL of a new, empty database."""
    with server.database() as url:
        yield url


@pytest.fixture(scope="session")
def template(server: Server, alembic: Alembic) -> Iterator[str]:
    """The name of a database at head, to clone."""
    with server.database() as url:
        alembic(url, "upgrade", "head")
        yield urlsplit(url).path[1:]


@pytest.fixture
def migrated(server: Server, template: str) -> Iterator[str]:
    """The URL of a database of this test's own, at head."""
    with server.database(template=template) as url:
        yield url


@pytest.fixture(scope="session")
def alembic() -> Alembic:
    """`alembic(url, "upgrade", "head")` runs the command in this process and returns what it printed."""
    return Alembic(BACKEND / "alembic.ini")


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """A connection to an empty database, in a transaction that is rolled back."""
    yield from _connected(database)


@pytest.fixture
def migrated_connection(migrated: str) -> Iterator[Connection]:
    """A connection to a database at head, in a transaction that is rolled back."""
    yield from _connected(migrated)


def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()
