"""Promise: what a dropped column or table held is kept for a declared time, and the downgrade brings it back."""

from dataclasses import dataclass

import psycopg
import pytest

from alembic_online.cli.main import main
from tests.alembic_online.project import Project

VALUES = {
    "text": "'a \"b\" :c'",
    "bigint": "9007199254740993",
    "numeric(10,4)": "1.5000",
    "double precision": "0.1",
    "timestamptz": "'2020-01-01 00:00:00.123456+00'",
    "bytea": "'\\x0102'",
    "text[]": "ARRAY['a', NULL, 'b,c']",
    "json": """'{"b":  1, "a": 2}'""",
    "jsonb": """'"text"'""",
    "int4range": "'[1,5)'",
    "uuid": "'00000000-0000-0000-0000-000000000007'",
    "interval": "'1 day 2 hours'",
    "bool": "false",
}


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


@dataclass(frozen=True)
class Case:
    """What `one` makes, and the lines of `two` with their way back."""

    tables: str
    upgrade: str
    downgrade: str
    query: str


CASES = {
    "a column, of a key of two columns, with a name that needs quotes": Case(
        'CREATE TABLE "My t" (a int, b text, "The mail" text, PRIMARY KEY (a, b));'
        " INSERT INTO \"My t\" SELECT n, 'x\"' || n, 'mail ' || n FROM generate_series(1, 100) AS n",
        'op.keep_aside("My t", "The mail", by=["a", "b"], keep_for="1 day"); op.drop_column("My t", "The mail")',
        'op.add_column("My t", sa.Column("The mail", sa.Text));'
        ' op.bring_back("My t", "The mail", by=["a", "b"])',
        'SELECT a, b, "The mail" FROM "My t" ORDER BY 1',
    ),
    "a table, whose numbers go on": Case(
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail text, twice int GENERATED ALWAYS AS"
        " (id * 2) STORED); INSERT INTO t (mail) SELECT 'mail ' || n FROM generate_series(1, 100) AS n",
        'op.keep_aside("t", by=["id"], keep_for="1 day"); op.drop_table("t")',
        'op.create_table("t", sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),'
        ' sa.Column("mail", sa.Text), sa.Column("twice", sa.Integer, sa.Computed("(id * 2)", persisted=True)));'
        ' op.bring_back("t", by=["id"], columns=["id", "mail"])',
        "SELECT id, mail, twice FROM t ORDER BY 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_dropped_comes_back(project: Project, database: str, case: str) -> None:
    found = CASES[case]
    project.revision("one", None, f"op.execute({found.tables!r})")
    project.revision("two", "one", found.upgrade, found.downgrade)
    project.alembic(database, "upgrade", "one")
    before = rows(database, found.query)
    for _ in range(2):
        project.alembic(database, "upgrade", "two")
        project.alembic(database, "downgrade", "one")
        assert rows(database, found.query) == before
    if "numbers" in case:
        execute(database, "INSERT INTO t (mail) VALUES ('new')")
        assert rows(database, "SELECT max(id) FROM t") == [(101,)]


def test_values_of_each_type_come_back_as_they_were(project: Project, database: str) -> None:
    columns = ", ".join(f"c{n} {type_}" for n, type_ in enumerate(VALUES))
    values = ", ".join(VALUES.values())
    made = f"CREATE TABLE t (id uuid PRIMARY KEY, {columns}); INSERT INTO t VALUES (gen_random_uuid(), {values})"
    gone = [
        f'op.keep_aside("t", "c{n}", by=["id"], keep_for="1 day"); op.drop_column("t", "c{n}")'
        for n in range(len(VALUES))
    ]
    back = [
        f'op.execute("ALTER TABLE t ADD c{n} {type_}"); op.bring_back("t", "c{n}", by=["id"])'
        for n, type_ in enumerate(VALUES)
    ]
    project.revision("one", None, f"op.execute(sa.text({made.replace(':', chr(92) + ':')!r}))")
    project.revision("two", "one", "; ".join(gone), "; ".join(back))
    project.alembic(database, "upgrade", "one")
    query = f"SELECT id, {', '.join(f'c{n}::text' for n in range(len(VALUES)))} FROM t"
    before = rows(database, query)
    project.alembic(database, "upgrade", "two")
    project.alembic(database, "downgrade", "one")
    assert rows(database, query) == before


COLUMN = Case(
    "CREATE TABLE t (id int PRIMARY KEY, mail text); INSERT INTO t"
    " SELECT n, 'mail ' || n FROM generate_series(1, 3) AS n",
    'op.keep_aside("t", "mail", by=["id"], keep_for="30 days"); op.drop_column("t", "mail")',
    'op.add_column("t", sa.Column("mail", sa.Text)); op.bring_back("t", "mail", by=["id"])',
    "SELECT id, mail FROM t ORDER BY 1",
)


@pytest.fixture
def dropped(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Of a database whose column was kept and dropped."""
    project.models('Table("t", metadata, Column("id", Integer, primary_key=True, autoincrement=False))')
    project.revision("one", None, f"op.execute({COLUMN.tables!r})", phase="expand")
    project.revision("two", "one", COLUMN.upgrade, COLUMN.downgrade, phase="contract")
    project.alembic(database, "upgrade", "two")
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(project.folder)
    return project


def test_rows_that_came_or_went_since_are_left_as_they_are(dropped: Project, database: str) -> None:
    execute(database, "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (9)")
    dropped.alembic(database, "downgrade", "one")
    assert rows(database, COLUMN.query) == [(2, "mail 2"), (3, "mail 3"), (9, None)]


def test_nobody_takes_what_is_kept_for_a_part_of_the_schema(
    dropped: Project, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dropped.alembic(database, "check")
    assert main(["drift"]) == 0
    assert main(["doctor"]) == 0, capsys.readouterr().out


def test_contract_clears_what_was_to_be_kept_until_now(
    dropped: Project, database: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert main(["contract"]) == 0
    assert rows(database, "SELECT count(*) FROM alembic_kept") == [(3,)]
    execute(database, "UPDATE alembic_kept SET until = now() - interval '1 second'")
    assert main(["contract", "--dry-run"]) == 0
    assert rows(database, "SELECT count(*) FROM alembic_kept") == [(3,)]
    assert main(["contract"]) == 0
    assert rows(database, "SELECT count(*) FROM alembic_kept") == [(0,)]
    assert "What was kept of t.mail is cleared: its time is over." in capsys.readouterr().out
    dropped.alembic(database, "downgrade", "one")
    assert rows(database, COLUMN.query) == [(1, None), (2, None), (3, None)]
    assert "Nothing is kept of t.mail any more: it comes back empty." in caplog.text


def test_a_script_does_the_same(project: Project, database: str) -> None:
    project.revision("one", None, f"op.execute({COLUMN.tables!r})")
    project.revision("two", "one", COLUMN.upgrade, COLUMN.downgrade)
    project.alembic(database, "upgrade", "one")
    before = rows(database, COLUMN.query)
    for way in (("upgrade", "one:two"), ("downgrade", "two:one")):
        _run_script(database, project.alembic(database, *way, "--sql"))
    assert rows(database, COLUMN.query) == before


def _run_script(url: str, script: str) -> None:
    lines = [line for line in script.splitlines() if not line.startswith(("INFO", "WARN"))]
    parts = "\n".join(lines).split("$backfill$")
    parts[1::2] = [each.replace(";\n", ";\r") for each in parts[1::2]]  # a block is one statement
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in filter(str.strip, "$backfill$".join(parts).split(";\n")):
            connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('op.keep_aside("t", "mail", by=[], keep_for="1 day")', "What identifies a row of t is not said."),
        ('op.bring_back("t", by=["id"])', "What is to be brought back of t is not said."),
        ('op.keep_aside("t", "mail", by=["id"], keep_for="a while")', "invalid input syntax for type interval"),
    ],
)
def test_what_cannot_be_meant_is_refused(project: Project, database: str, line: str, wanted: str) -> None:
    project.revision("one", None, f"op.execute({COLUMN.tables!r})")
    project.revision("two", "one", line)
    project.alembic(database, "upgrade", "one")
    code, said = project.alembic.refused(database, "upgrade", "two")
    assert code
    assert wanted in said
