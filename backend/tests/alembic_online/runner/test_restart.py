"""A server that is restarted in the middle of a migration, and comes back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from alembic_online.postgres.embedded import start_server
from tests.alembic_online.project import Project
from tests.alembic_online.runner import eight_steps, gate
from tests.alembic_online.runner.eight_steps import LONG, same
from tests.alembic_online.runner.outcomes import outcomes
from tests.alembic_online.runner.processes import Migrator
from tests.servers import ServerDirectory, new_data, pg_ctl


@pytest.fixture(scope="module")
def mortal(server_directory: ServerDirectory) -> Iterator[tuple[str, Path]]:
    """A server of the tests' own: its URL, and its data directory."""
    with server_directory() as directory:
        running = start_server(new_data(directory), temporary=True, settings={"fsync": "off"})
        yield running.get_uri(), directory / "data"
        pg_ctl(directory / "data", "stop", "-m", "immediate")  # the wheel knows only the server it has started
        running.cleanup()


def new_database(url: str, name: str) -> str:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    return url.replace("/postgres?", f"/{name}?")


@pytest.mark.parametrize("form", eight_steps.FORMS)
def test_restarted_at_once_in_a_long_step(
    project: Project, mortal: tuple[str, Path], start: Callable[..., Migrator], form: str
) -> None:
    server, data = mortal
    url, undisturbed = new_database(server, form), new_database(server, f"undisturbed_{form}")
    eight_steps.write(project, form)
    project.alembic(undisturbed, "upgrade", "head")
    eight_steps.write(project, form, **{f"step{LONG[form]}": gate.STEP})
    with gate.closed(url) as closed:
        running = start(project, url, "upgrade", "head")
        closed.noted()
        pg_ctl(data, "restart", "-m", "immediate")
        assert running.exit_code() == 11, running.output
    assert "The connection was lost: " in running.output
    assert "Traceback" not in running.output
    eight_steps.write(project, form)
    said = project.alembic(url, "upgrade", "head")
    same(eight_steps.state(undisturbed), eight_steps.state(url))
    with psycopg.connect(url) as watcher:
        assert outcomes(watcher) == ["interrupted", "done"]
    assert f"was interrupted at step {LONG[form]}: DO" in said
