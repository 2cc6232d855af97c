"""A crash costs nothing: whatever ends a migration at whichever step, the same command again finishes it."""

import signal
from collections.abc import Callable

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.runner import eight_steps
from tests.alembic_online.runner.eight_steps import State, forms, same
from tests.alembic_online.runner.killed import BLOCK, killed
from tests.alembic_online.runner.outcomes import outcomes
from tests.alembic_online.runner.processes import Migrator
from tests.longer_proofs import every

Start = Callable[..., Migrator]
# The first and the eighth always, all of them with `make prove`.
steps = pytest.mark.parametrize("step", every(7, range(1, eight_steps.AFTER_THE_LAST + 1)))


@steps
@forms
def test_killed_before_a_step(
    project: Project,
    database: str,
    watcher: psycopg.Connection,
    start: Start,
    undisturbed: dict[str, State],
    form: str,
    step: int,
) -> None:
    eight_steps.write(project, form)
    killed = start(project, database, "upgrade", "head", FAULT=f"kill:{step}")
    assert killed.exit_code() == -signal.SIGKILL, killed.output
    said = project.alembic(database, "upgrade", "head")
    same(undisturbed[form], eight_steps.state(database))
    assert outcomes(watcher) == ["interrupted", "done"]
    assert "The upgrade of 001_eight that began at" in said
    last = step - 2 if (form, step - 1) in eight_steps.WAITS else step - 1
    assert f"was interrupted{f' at step {last}:' if step > 1 else ';'}" in said


@steps
@forms
def test_its_session_ended_before_a_step(
    project: Project,
    database: str,
    watcher: psycopg.Connection,
    undisturbed: dict[str, State],
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    step: int,
) -> None:
    eight_steps.write(project, form)
    with monkeypatch.context() as faulty:
        faulty.setenv("FAULT", f"terminate:{step}")
        code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert "Traceback" not in stderr
    assert code == 11, stderr
    project.alembic(database, "upgrade", "head")
    same(undisturbed[form], eight_steps.state(database))
    assert outcomes(watcher) == ["failed", "done"]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_loop_that_counts_rows_goes_on_where_it_was(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, driver: str
) -> None:
    watcher.execute("CREATE TABLE books (id integer, done bool); INSERT INTO books SELECT generate_series(1, 95)")
    batch = "UPDATE books SET done = true WHERE id IN (SELECT id FROM books WHERE done IS NULL LIMIT 10)"
    killed(
        project,
        database.replace("postgresql:", f"postgresql+{driver}:"),
        start,
        "batches = 0",
        BLOCK,
        f"    while op.get_bind().execute(sa.text('{batch}')).rowcount:",
        "        batches += 1",
        "        if batches == 4:",
        "            DIE",
        "op.execute(f'CREATE TABLE b{batches} ()')",
    )
    assert watcher.execute("SELECT count(*) FROM books WHERE done").fetchone() == (40,)
    project.alembic(database.replace("postgresql:", f"postgresql+{driver}:"), "upgrade", "head")
    assert watcher.execute("SELECT count(*) FROM books WHERE done").fetchone() == (95,)
    assert watcher.execute("SELECT to_regclass('b10') IS NOT NULL").fetchone() == (True,)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_rows_that_a_statement_outside_of_a_transaction_returns_are_had(
    project: Project, database: str, watcher: psycopg.Connection, driver: str
) -> None:
    watcher.execute("CREATE TABLE books (id integer)")
    insert = "op.get_bind().execute(sa.text('INSERT INTO books VALUES (7) RETURNING id')).scalar_one()"
    project.revision("001_a", upgrade=f"{BLOCK}\n        assert {insert} == 7")
    project.alembic(database.replace("postgresql:", f"postgresql+{driver}:"), "upgrade", "head")
    assert watcher.execute("SELECT * FROM books").fetchall() == [(7,)]


def test_settings_of_the_session_are_made_again(
    project: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    watcher.execute("CREATE SCHEMA archive")
    path = ('op.execute("SET search_path TO archive, public")', BLOCK, '    op.execute("CREATE TABLE a ()")', "    DIE")
    killed(project, database, start, *path, 'op.execute("CREATE TABLE b ()")', 'op.execute("RESET search_path")')
    project.alembic(database, "upgrade", "head")
    assert watcher.execute("SELECT to_regclass('archive.a') IS NULL, to_regclass('archive.b') IS NULL").fetchone() == (
        False,
        False,
    )


def test_an_error_that_the_revision_catches_outside_of_a_transaction_leaves_none_open(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute("CREATE TABLE books (id integer PRIMARY KEY); INSERT INTO books VALUES (1)")
    insert = "op.get_bind().execute(sa.text('INSERT INTO books VALUES ({})'))"
    lines = [BLOCK, "    try:", f"        {insert.format(1)}", "    except sa.exc.IntegrityError:", "        pass"]
    project.revision("001_a", upgrade="\n    ".join([*lines, f"    {insert.format(2)}"]))
    project.alembic(database, "upgrade", "head")
    assert watcher.execute("SELECT id FROM books ORDER BY id").fetchall() == [(1,), (2,)]
