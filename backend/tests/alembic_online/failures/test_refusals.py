"""What bad input gets: a plain sentence, the next step, an exit code of its class. No traceback, no password."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from alembic_online.cli.main import main
from alembic_online.review import preflight
from tests.alembic_online.project import Project
from tests.paths import BACKEND
from tests.servers import Server, as_role

EXTENSION = "from alembic_online.postgres.declared import Extension, declare; declare(metadata, Extension({!r}, {!r}))"


def run(url: str, *statements: str) -> None:
    """Run SQL as the superuser."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def role(server: Server, name: str, attributes: str = "LOGIN") -> Iterator[str]:
    """A role for a moment, and for all of the databases."""
    run(server.admin, f"CREATE ROLE {name} {attributes}")
    try:
        yield name
    finally:
        run(server.admin, f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("url", "exit_code", "sentence"),
    [
        ("", 10, "DATABASE_URL is empty."),
        ("not a url", 10, "DATABASE_URL is not a database URL"),
        ("mysql://u:secret@h/d", 10, "DATABASE_URL begins with mysql://"),
        ("postgres://u:secret@word@h/d", 10, "DATABASE_URL is ambiguous"),
        (
            "postgresql+pg8000://u:secret@h/d",
            10,
            "DATABASE_URL asks for the driver 'pg8000', which is not installed",
        ),
        ("postgresql+nonsense://u:secret@h/d", 10, "DATABASE_URL asks for the driver 'nonsense', which is not known"),
        ("postgresql://u:secret@localhost:1/d", 11, "Nobody answers for database 'd' at localhost:1 as role 'u'"),
        ("postgresql+psycopg://u:secret@localhost:1/d", 11, "Nobody answers for database 'd' at localhost:1"),
        ("postgresql://u:secret@no-such-host.invalid/d", 11, "The host is not known: database 'd' at no-such-host"),
        ("postgresql+psycopg://u:secret@no-such-host.invalid/d", 11, "The host is not known"),
    ],
)
def test_a_url_that_leads_nowhere(project: Project, url: str, exit_code: int, sentence: str) -> None:
    project.revision("001_a")
    code, stderr = project.alembic.refused(url, "upgrade", "head")
    assert (code, stderr[: len(sentence)]) == (exit_code, sentence)
    assert 2 <= len(stderr.splitlines()) <= 8
    assert "secret" not in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("driver", ["", "+asyncpg", "+psycopg"])
def test_an_unknown_role_and_an_unknown_database(project: Project, database: str, driver: str) -> None:
    url = database.replace("postgresql:", f"postgresql{driver}:")
    code, stderr = project.alembic.refused(as_role(url, "nobody"), "upgrade", "head")
    assert (code, 'role "nobody" does not exist' in stderr) == (12, True)
    code, stderr = project.alembic.refused(url.replace("/test_", "/gone_"), "upgrade", "head")
    assert (code, stderr.startswith("There is no database 'gone_")) == (12, True)


def test_no_connection_left_for_the_role(project: Project, server: Server, database: str) -> None:
    with role(server, "crowded", "LOGIN CONNECTION LIMIT 0"):
        for driver in ("+asyncpg", "+psycopg"):
            url = as_role(database, "crowded").replace("postgresql:", f"postgresql{driver}:")
            code, stderr = project.alembic.refused(url, "upgrade", "head")
            assert (code, stderr.startswith("No connection is free:")) == (13, True)


def test_a_read_only_database(project: Project, database: str) -> None:
    run(database, f'ALTER DATABASE "{database.split("/")[3].split("?")[0]}" SET default_transaction_read_only = on')
    project.revision("001_a")
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "is read-only" in stderr) == (13, True)


def test_a_full_disk(project: Project, database: str) -> None:
    full = "op.execute(\"DO $$ BEGIN RAISE 'could not extend file: No space left' USING ERRCODE = '53100'; END $$\")"
    project.revision("001_a", upgrade=full)
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, stderr.startswith("The server's disk is full:")) == (13, True)


def test_a_server_that_is_too_old(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "OLDEST_SERVER", 99)
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "99 is the oldest that this works with" in stderr) == (13, True)


def test_an_extension_that_the_server_does_not_have(project: Project, database: str) -> None:
    project.models(EXTENSION.format("no_such_extension", None))
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, stderr.startswith("The server does not have the extension 'no_such_extension'.")) == (13, True)


def test_an_extension_that_is_too_old_before_and_after_it_is_made(project: Project, database: str) -> None:
    project.models(EXTENSION.format("vector", "99.1"))
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, stderr.startswith("The server offers vector 0.")) == (13, True)
    run(database, "CREATE EXTENSION vector")
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "ALTER EXTENSION vector UPDATE" in stderr) == (13, True)


def test_an_extension_where_the_search_path_does_not_lead(project: Project, database: str) -> None:
    run(database, "CREATE SCHEMA elsewhere; CREATE EXTENSION vector SCHEMA elsewhere")
    project.models(EXTENSION.format("vector", None))
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert code == 13
    assert stderr.startswith("The extension 'vector' is in the schema 'elsewhere', and the search_path does not lead")
    assert "SET search_path = public, elsewhere" in stderr


def test_a_role_that_may_not_make_the_extension(project: Project, server: Server, database: str) -> None:
    with role(server, "modest"):
        run(database, "GRANT ALL ON SCHEMA public TO modest")
        project.models(EXTENSION.format("vector", "0.8"))
        code, stderr = project.alembic.refused(as_role(database, "modest"), "upgrade", "head")
        run(database, "DROP OWNED BY modest")
    assert code == 12
    assert "CREATE EXTENSION vector" in stderr


def test_a_role_without_rights_on_the_schema(project: Project, server: Server, database: str) -> None:
    project.revision("001_a")
    with role(server, "bare"):
        code, stderr = project.alembic.refused(as_role(database, "bare"), "upgrade", "head")
    assert (code, "GRANT CREATE, USAGE ON SCHEMA public TO bare" in stderr) == (12, True)


def test_a_misspelt_revision_is_told_the_nearest_names(project: Project, database: str) -> None:
    project.revision("001_users")
    project.revision("002_courses", parent="001_users")
    for command in (["upgrade", "002_corses"], ["stamp", "002_corses"], ["history", "-r", "002_corses:"]):
        code, stderr = project.alembic.refused(database, *command)
        assert (code, stderr.splitlines()[0]) == (16, "No revision is called '002_corses'.")
        assert "The nearest: 002_courses" in stderr


def test_a_database_ahead_of_the_code_is_not_taken_for_a_misspelling(project: Project, database: str) -> None:
    project.revision("001_users")
    project.alembic(database, "upgrade", "head")
    run(database, "UPDATE alembic_version SET version_num = '002_from_the_future'")
    for command in (["upgrade", "head"], ["current"], ["check"], ["downgrade", "base"]):
        code, stderr = project.alembic.refused(database, *command)
        assert (code, stderr.startswith("The database is at revision '002_from_the_future'")) == (15, True)
        assert "older than the database" in stderr


def test_tables_without_a_revision_are_not_run_over(project: Project, database: str) -> None:
    project.models('Table("books", metadata, Column("id", Integer))')
    project.revision("001_a", upgrade='op.create_table("books", sa.Column("id", sa.Integer))')
    run(database, "CREATE TABLE books (id integer)")
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "alembic-online adopt" in stderr) == (15, True)
    project.alembic(database, "stamp", "001_a")
    assert "Nothing to do" in project.alembic(database, "upgrade", "head")


def test_tables_of_others_do_not_hinder(project: Project, database: str) -> None:
    project.models('Table("books", metadata, Column("id", Integer))')
    project.revision("001_a")
    run(database, "CREATE TABLE spatial_ref_sys (id integer)")
    project.alembic(database, "upgrade", "head")
    assert "001_a (head)" in project.alembic(database, "current")


def test_autogenerate_on_a_database_that_is_behind(project: Project, database: str) -> None:
    project.revision("001_a")
    for command in (["revision", "--autogenerate", "-m", "more"], ["check"]):
        code, stderr = project.alembic.refused(database, *command)
        assert (code, "alembic upgrade head" in stderr) == (15, True)


def test_a_lock_timeout_and_a_statement_timeout(project: Project, database: str) -> None:
    run(database, "CREATE TABLE held (id integer)")
    project.revision("001_lock", upgrade="op.execute(\"SET LOCAL lock_timeout = '50ms'\"); op.drop_table('held')")
    with psycopg.connect(database) as holder:
        holder.execute("SELECT * FROM held")
        code, stderr = project.alembic.having(MIGRATION_TOTAL_LOCK_TIMEOUT="0.2").refused(database, "upgrade", "head")
    assert code == 17
    assert stderr.startswith("Could not lock held (ACCESS EXCLUSIVE) within 0.2 s; nothing of 001_lock was changed.")
    project.revision(
        "001_lock", upgrade="op.execute(\"SET LOCAL statement_timeout = '50ms'\"); op.execute('SELECT pg_sleep(9)')"
    )
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "a statement took too long" in stderr) == (17, True)


@pytest.mark.parametrize("driver", ["+asyncpg", "+psycopg"])
@pytest.mark.parametrize(
    ("upgrade", "lines"),
    [
        (
            'op.create_unique_constraint("uq", "books", ["title"])',
            ['could not create unique index "uq"', "Table: books", "Row: Key (title)=(b) is duplicated."],
        ),
        (
            'op.alter_column("books", "pages", nullable=False)',
            [
                'column "pages" of relation "books" contains null values',
                "Table: books, column: pages",
                "Rows in the way: 1; by id: 3",
            ],
        ),
        (
            'op.create_check_constraint("ck", "books", "pages > 10 AND title <> \'x:y\'")',
            ['check constraint "ck" of relation "books" is violated by some row', "Rows in the way: 1; by id: 1"],
        ),
        (
            'op.create_foreign_key("fk", "books", "shelves", ["shelf"], ["id"])',
            ['violates foreign key constraint "fk"', "Row: Key (shelf)=(7) is not present in table"],
        ),
        (
            'op.execute("CREATE VIEW a AS SELECT FROM books; CREATE VIEW b AS SELECT FROM books; DROP TABLE books")',
            ["Detail: view a depends on table books (and 1 more)"],
        ),
        (
            'op.alter_column("books", "title", type_=sa.Integer(), postgresql_using="title::integer")',
            ['invalid input syntax for type integer: "a"'],
        ),
    ],
)
def test_a_revision_that_fails_on_the_data(
    project: Project, database: str, driver: str, upgrade: str, lines: list[str]
) -> None:
    run(
        database,
        "CREATE TABLE shelves (id integer PRIMARY KEY)",
        "CREATE TABLE books (id integer PRIMARY KEY, title text, pages integer, shelf integer)",
        "INSERT INTO books VALUES (1, 'a', 5, 7), (2, 'b', 20, NULL), (3, 'b', NULL, NULL)",
    )
    project.revision("001_a", upgrade=upgrade)
    code, stderr = project.alembic.refused(database.replace("postgresql:", f"postgresql{driver}:"), "upgrade", "head")
    assert code == 18
    assert stderr.startswith("Revision 001_a, upgrade(), line 11 failed: ")
    assert f"It was running: {upgrade}" in stderr
    for line in lines:
        assert line in stderr
    assert len(stderr.splitlines()) <= 8


def test_a_revision_that_fails_in_python_names_its_line(project: Project, database: str) -> None:
    project.revision("001_a", upgrade="raise KeyError('colour')")
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, stderr.splitlines()[0]) == (18, "Revision 001_a, upgrade(), line 11 failed: KeyError: 'colour'")


def test_raiseerr_shows_the_traceback_of_the_cause(project: Project, database: str) -> None:
    project.revision("001_a", upgrade="raise KeyError('colour')")
    with pytest.raises(KeyError, match="colour"):
        project.alembic(database, "upgrade", "head")


def test_the_rows_in_the_way_are_looked_up_within_two_seconds_and_without_a_write(
    project: Project, database: str
) -> None:
    run(
        database,
        "CREATE TABLE books (id integer PRIMARY KEY); CREATE TABLE asked (id integer)",
        "INSERT INTO books VALUES (1), (2), (3)",
        "CREATE FUNCTION writes() RETURNS bool LANGUAGE sql VOLATILE AS 'INSERT INTO asked VALUES (1) RETURNING true'",
    )
    # All three rows are in the way of a session that has the lookup's limit, one is in that of any other.
    add = 'op.execute("ALTER TABLE books ADD CONSTRAINT ck CHECK ({})")'
    project.revision("001_a", upgrade=add.format("id > 1 AND current_setting('statement_timeout') <> '2s'"))
    assert "Rows in the way: 3; by id: 1; 2; 3" in project.alembic.refused(database, "upgrade", "head").stderr
    project.revision("001_a", upgrade=add.format("id > 1 AND writes()"))
    assert "is violated by some row" in project.alembic.refused(database, "upgrade", "head").stderr
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM asked").fetchone() == (0,)


@pytest.mark.programs
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import no_such_module", "line 2: ModuleNotFoundError: No module named 'no_such_module'"),
        ("metadata = (", "line 2: SyntaxError: '(' was never closed"),
        ("Missing.metadata", "line 2: NameError: name 'Missing' is not defined"),
    ],
    ids=["a module that is not there", "no Python", "a name that is not there"],
)
def test_models_that_do_not_import_are_a_sentence(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str, says: str
) -> None:
    (project.folder / "broken_models.py").write_text(f"\n{code}\n")
    project.models(f"import sys; sys.path.insert(0, {str(project.folder)!r}); import broken_models")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("PYTHONPATH", str(BACKEND))
    monkeypatch.chdir(project.folder)
    sentence = f"The models cannot be imported: {project.folder / 'broken_models.py'}, {says}"
    assert (main(["drift"]), capsys.readouterr().err.splitlines()[0]) == (2, sentence)
    alembic = str(Path(sys.executable).with_name("alembic"))
    done = subprocess.run([alembic, "upgrade", "head"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (16, sentence)
