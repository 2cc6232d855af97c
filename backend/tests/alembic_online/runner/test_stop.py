"""Told to stop, or killed, in the middle of a long statement: what was done is known, and the next run finishes it."""

import signal
from collections.abc import Callable

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.runner import eight_steps, gate
from tests.alembic_online.runner.eight_steps import LONG, State, forms, same
from tests.alembic_online.runner.outcomes import outcomes
from tests.alembic_online.runner.processes import Migrator, until

Start = Callable[..., Migrator]
signals = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])


@signals
@forms
def test_stopped_in_a_long_step(
    project: Project,
    database: str,
    watcher: psycopg.Connection,
    start: Start,
    undisturbed: dict[str, State],
    form: str,
    number: signal.Signals,
) -> None:
    step = LONG[form]
    eight_steps.write(project, form, **{f"step{step}": gate.STEP})
    with gate.closed(database) as closed:
        running = start(project, database, "upgrade", "head")
        pid = closed.noted()
        code = running.tell(number)
        if number is signal.SIGKILL:
            until(lambda: not watcher.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone())
        else:
            assert code == 128 + number
            assert f"Stopped by {number.name}: upgrade of 001_eight, step {step}: DO" in running.output
            assert "the database is at base.\nRun the same command again to finish.\n" in running.output
            assert watcher.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() is None
        assert "Traceback" not in running.output
    eight_steps.write(project, form)
    said = project.alembic(database, "upgrade", "head")
    same(undisturbed[form], eight_steps.state(database))
    assert outcomes(watcher) == ["interrupted" if number is signal.SIGKILL else "stopped", "done"]
    if form != "transactional":
        assert f"Going on with 001_eight after step {step}: DO" in said


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_its_session_ended_in_a_long_step(
    project: Project,
    database: str,
    watcher: psycopg.Connection,
    start: Start,
    undisturbed: dict[str, State],
    driver: str,
) -> None:
    url = database.replace("postgresql:", f"postgresql+{driver}:")
    eight_steps.write(project, "autocommit", step7=gate.STEP)
    with gate.closed(database) as closed:
        running = start(project, url, "upgrade", "head")
        pid = closed.noted()
        watcher.execute("SELECT pg_terminate_backend(%s)", [pid])
        assert running.exit_code() == 11
        assert "The connection was lost: terminating connection due to administrator command" in running.output
        assert "Traceback" not in running.output
    eight_steps.write(project, "autocommit")
    project.alembic(url, "upgrade", "head")
    same(undisturbed["autocommit"], eight_steps.state(database))
    assert outcomes(watcher) == ["failed", "done"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_stopped_while_it_waits_for_a_table(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, number: signal.Signals, driver: str
) -> None:
    url = database.replace("postgresql:", f"postgresql+{driver}:")
    project.revision("001_a", upgrade='op.create_table("books", sa.Column("id", sa.Integer))')
    project.revision("002_b", parent="001_a", upgrade='op.drop_table("books")')
    project.alembic(database, "upgrade", "001_a")
    with psycopg.connect(database) as holder:
        holder.execute("SELECT * FROM books")
        running = start(project, url, "upgrade", "head")
        running.says("on books")
        assert running.tell(number) == 128 + number
    assert f"Stopped by {number.name}: upgrade of 002_b, step 1: DROP TABLE books" in running.output
    assert "the database is at 001_a." in running.output
    assert "Traceback" not in running.output
    assert outcomes(watcher) == ["done", "stopped"]
    project.alembic(database, "upgrade", "head")


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_stopped_in_a_concurrent_index_build_which_leaves_an_invalid_index_that_the_next_run_replaces(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, driver: str
) -> None:
    url = database.replace("postgresql:", f"postgresql+{driver}:")
    watcher.execute("CREATE TABLE books (id integer)")
    project.revision("001_a", upgrade='op.create_index("ix", "books", ["id"], postgresql_concurrently=True)')
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE books IN ROW EXCLUSIVE MODE")
        running = start(project, url, "upgrade", "head")
        until(lambda: watcher.execute("SELECT 1 FROM pg_index WHERE NOT indisvalid").fetchone())
        assert running.tell(signal.SIGTERM) == 143
    assert "Traceback" not in running.output
    assert watcher.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (1,)
    project.alembic(url, "upgrade", "head")
    assert watcher.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass").fetchall() == [(True,)]
