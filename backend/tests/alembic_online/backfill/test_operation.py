"""`op.backfill` in a revision: resumed after a crash, left to the command when it is long, begun again otherwise."""

import io
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest

from alembic_online.cli.main import main
from alembic_online.cli.verb import FINE
from alembic_online.errors import RevisionFailed
from alembic_online.postgres.embedded import program
from tests.alembic_online.project import Project, make_project
from tests.alembic_online.runner.processes import Migrator, until
from tests.paths import BACKEND

Start = Callable[..., Migrator]
REAL_INI = BACKEND / "migrations" / "alembic.ini"
_TABLE = "CREATE TABLE books (id int PRIMARY KEY, old int, new int); INSERT INTO books SELECT i, i FROM generate_series"
WALKED = "SELECT coalesce(sum(walked), 0) FROM alembic_backfill"
FILLED = "SELECT count(*) FROM books WHERE new IS NOT DISTINCT FROM old * 2"


def write(project: Project, *, backfill: str = 'op.backfill("books", {"new": "old * 2"})', after: str = "pass") -> None:
    """Three operations: before, the backfill, after."""
    upgrade = f'op.execute("CREATE TABLE before ()"); {backfill}; {after}'
    project.revision("001_a", upgrade=upgrade, downgrade='op.execute("DROP TABLE before")')


def count(session: psycopg.Connection, query: str = FILLED) -> int:
    return int((session.execute(query).fetchone() or (0,))[0])


def test_an_upgrade_fills_the_rows_between_two_operations(
    project: Project, session: psycopg.Connection, database: str
) -> None:
    session.execute(f"{_TABLE}(1, 3000) i")
    write(project, after='op.alter_column("books", "new", nullable=False)')
    project.alembic(database, "upgrade", "head")
    assert count(session) == 3000


@pytest.mark.prove
def test_a_second_upgrade_after_a_downgrade_fills_them_again(
    project: Project, session: psycopg.Connection, database: str
) -> None:
    session.execute(f"{_TABLE}(1, 10) i")
    write(project)
    project.alembic(database, "upgrade", "head")
    project.alembic(database, "downgrade", "base")
    session.execute("UPDATE books SET new = NULL")
    project.alembic(database, "upgrade", "head")
    assert count(session) == 10


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("nested = op.get_bind().begin_nested()", "nested.rollback()"),
        ('op.execute("SAVEPOINT here")', 'op.execute("ROLLBACK TO SAVEPOINT here")'),
    ],
)
def test_in_a_savepoint_it_is_refused_before_a_row_is_filled(
    project: Project, session: psycopg.Connection, database: str, before: str, after: str
) -> None:
    session.execute(f"{_TABLE}(1, 10) i")
    write(project, backfill=f'{before}; op.backfill("books", {{"new": "old * 2"}}); {after}')
    with pytest.raises(RevisionFailed, match="books_new is filled in batches, each committed"):
        project.alembic(database, "upgrade", "head")
    assert count(session) == 0


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_crash_loses_at_most_a_batch(
    project: Project, session: psycopg.Connection, database: str, start: Start, how: str
) -> None:
    session.execute(f"{_TABLE}(1, 60000) i")
    # So slow that it can be stopped in its middle.
    session.execute(
        "CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(CASE WHEN i % 100 = 0 THEN 0.001 END); RETURN i * 2; END $$"
    )
    write(project, backfill='op.backfill("books", {"new": "slow(old)"}, where="new IS NULL")')
    first = start(project, database, "upgrade", "head")
    until(lambda: tables(session) and count(session, WALKED) > 10000)
    if how == "kill":
        first.tell(signal.SIGKILL)
    else:
        session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'alembic'")
        assert first.exit_code() != 0
    until(lambda: count(session, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'alembic'") == 0)
    done = count(session, WALKED)
    assert 10000 < done < 60000
    assert count(session) == done
    session.execute("CREATE TABLE done AS SELECT id, xmin::text AS writer FROM books WHERE new IS NOT NULL")
    project.alembic(database, "upgrade", "head")
    assert count(session) == 60000
    assert count(session, "SELECT count(*) FROM done JOIN books USING (id) WHERE books.xmin::text = writer") == done
    assert project.alembic(database, "current").startswith("001_a")


def tables(session: psycopg.Connection) -> bool:
    return bool(count(session, "SELECT count(to_regclass('alembic_backfill'))"))


def test_one_that_takes_too_long_is_left_to_its_command_and_the_upgrade_then_goes_on(
    project: Project, session: psycopg.Connection, database: str
) -> None:
    session.execute(f"{_TABLE}(1, 3000) i")
    write(project, after='op.execute("CREATE TABLE after ()")')
    code, stderr = project.alembic.having(MIGRATION_BACKFILL_UPGRADE_SECONDS="0").refused(database, "upgrade", "head")
    assert code == 21
    assert "Run: python -m alembic_online backfill books_new" in stderr
    assert (count(session), project.alembic(database, "current")) == (0, "")
    assert session.execute("SELECT step FROM alembic_history").fetchone() == ("2: backfill books_new",)
    command(database, "books_new")
    assert count(session) == 3000
    project.alembic.having(MIGRATION_BACKFILL_UPGRADE_SECONDS="0")(database, "upgrade", "head")
    assert count(session, "SELECT count(*) FROM before, after") == 0


def test_a_deferred_one_is_left_to_its_command_and_the_contracting_revision_refuses_until_it_is_done(
    project: Project, session: psycopg.Connection, database: str
) -> None:
    session.execute(f"{_TABLE}(1, 10) i")
    write(project, backfill='op.backfill("books", {"new": "old * 2"}, name="doubled", deferred=True)')
    contract = 'op.require_backfill("doubled"); op.drop_column("books", "old")'
    project.revision("002_b", "001_a", upgrade=contract, downgrade="pass")
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, stderr.splitlines()[0]) == (
        21,
        "The backfill doubled has not come to its end; what is done of it is kept.",
    )
    assert project.alembic(database, "current").startswith("001_a")
    command(database, "doubled")
    project.alembic(database, "upgrade", "head")
    assert count(session, "SELECT sum(new) FROM books") == 110


def test_requiring_one_that_nobody_began_is_refused(project: Project, database: str) -> None:
    project.revision("001_a", upgrade='op.require_backfill("doubled")')
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, stderr.splitlines()[0][:40]) == (21, "The backfill doubled has not been begun;")


@pytest.mark.parametrize("key", ["id int PRIMARY KEY", 'a int, "B b" text, id int, PRIMARY KEY ("B b", a)'])
def test_a_script_of_it_does_the_same(project: Project, session: psycopg.Connection, database: str, key: str) -> None:
    write(project, backfill="""op.backfill("books", {"new": "'a:b%' || id"}, where="id > 5")""")
    script = project.alembic(database, "upgrade", "head", "--sql")
    columns = '"B b", a, id' if "a int" in key else "id"
    values = "'it''s', i, i" if "a int" in key else "i"
    session.execute(f"CREATE TABLE books ({key}, new text)")
    session.execute(f"INSERT INTO books ({columns}) SELECT {values} FROM generate_series(1, 12000) i")
    sql = "\n".join(line for line in script.splitlines() if not line.startswith("INFO"))
    psql(database, sql)
    assert count(session, "SELECT count(*) FROM books WHERE new = 'a:b%' || id AND id > 5") == 11995
    assert count(session, "SELECT count(DISTINCT xmin::text) FROM books") > 2  # in batches
    assert " done " in command(database)  # so that a later revision may require it


def psql(url: str, script: str) -> None:
    """As `psql -f` runs it: each statement by itself."""
    arguments = [str(program("psql")), url, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    subprocess.run(arguments, input=script, text=True, check=True, capture_output=True)


def command(url: str, *arguments: str) -> str:
    """`python -m alembic_online backfill ...`, in this process; it must end well."""
    output = io.StringIO()
    with patch.dict(os.environ, DATABASE_URL=url), redirect_stdout(output):
        assert main(["backfill", *arguments]) == FINE
    return output.getvalue()


def test_a_person_sees_how_fast_it_is_and_how_long_it_takes(
    session: psycopg.Connection, database: str, start: Start, tmp_path: Path
) -> None:
    project = make_project(tmp_path)
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text() + REAL_INI.read_text().partition("revision_environment = true\n")[2])
    session.execute(f"{_TABLE}(1, 2000) i")
    slow = (
        "CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.001); RETURN i; END $$"
    )
    session.execute(slow)
    write(project, backfill='op.backfill("books", {"new": "slow(old)"}, where="new IS NULL")')
    running = start(project, database, "upgrade", "head")
    running.says(" rows a second: ")
    assert "backfill books_new" in running.output
    assert " s left" in running.output
