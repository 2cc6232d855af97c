"""Promise: what a release really asks is written down, and lint makes it again before and after each revision."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from sqlalchemy import create_engine, text

from alembic_online import record_statements
from alembic_online.cli.main import main
from alembic_online.releases.recorded import FILE, Statement, read_file, write_file
from alembic_online.review.lint.check import check, choose
from alembic_online.revisions.main_branch import main_branch
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import Project
from tests.alembic_online.review.lint.place import place_of

APP = """
import asyncio
import os
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, String, Table, Uuid, create_engine, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine

metadata = MetaData()
people = Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", String),
               Column("password", String), Column("ref", Uuid))


def add(connection):
    for number in (1, 2, 3):
        given = {"name": "x" * number, "password": "hunter2", "ref": UUID(int=7)}
        connection.execute(insert(people), given)


async def find(url):
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.begin() as connection:
        await connection.execute(select(people.c.id).where(people.c.name == "x", people.c.id.in_([1, 2, 3])))
        await connection.execute(select(people.c.id).where(people.c.password == "hunter2"))
        raw = text("SELECT id FROM people WHERE password = 'hunter2' AND name <> :x")
        await connection.execute(raw, {"x": "hunter2"})
    await engine.dispose()


engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))
metadata.create_all(engine)
with engine.begin() as connection:
    add(connection)
asyncio.run(find(os.environ["DATABASE_URL"]))
"""
SECRET = {"left_out": "secret"}
MADE = [
    (
        "INSERT INTO people (name, password, ref) VALUES ($1::VARCHAR, $2::VARCHAR, $3::UUID) RETURNING people.id",
        "app.py, add",
        [["x", SECRET, "00000000-0000-0000-0000-000000000007"], ["xx", SECRET, "00000000-0000-0000-0000-000000000007"],
         ["xxx", SECRET, "00000000-0000-0000-0000-000000000007"]],
    ),
    ("SELECT id FROM people WHERE password = $2 AND name <> $1", "app.py, find", [[SECRET, SECRET]]),
    (
        "SELECT people.id FROM people WHERE people.name = $1::VARCHAR AND people.id IN"
        " ($2::INTEGER, $3::INTEGER, $4::INTEGER)",
        "app.py, find",
        [["x", 1, 2, 3]],
    ),
    ("SELECT people.id FROM people WHERE people.password = $1::VARCHAR", "app.py, find", [[SECRET]]),
]  # fmt: skip


def as_written(path: Path) -> list[tuple[str, str, list[Any]]]:
    return [(each["sql"], each["from"], each["samples"]) for each in json.loads(path.read_text())]


@pytest.fixture
def app(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A program beside the project, which makes a table and uses it."""
    (project.folder / "app.py").write_text(APP)
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(project.folder)
    return project


def test_a_command_is_recorded_whichever_driver_it_uses(app: Project, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--", sys.executable, "app.py"]) == 0
    assert as_written(app.folder / FILE) == MADE
    assert "hunter2" not in (app.folder / FILE).read_text()
    assert "4 statements in statements.json." in capfd.readouterr().out


def test_what_is_recorded_again_stays_as_it_was_written(app: Project) -> None:
    path = app.folder / FILE
    assert main(["record", "--", sys.executable, "app.py"]) == 0
    first = path.read_text()
    (app.folder / "app.py").write_text(APP.replace("UUID(int=7)", "UUID(int=8)"))
    assert main(["record", "--", sys.executable, "app.py"]) == 0
    assert path.read_text() == first
    (app.folder / "app.py").write_text(APP.replace("select(people.c.id)", "select(people.c.name)"))
    assert main(["record", "--add", "--", sys.executable, "app.py"]) == 0
    assert len(as_written(path)) == 6
    assert main(["record", "--", sys.executable, "app.py"]) == 0
    assert len(as_written(path)) == 4


def test_a_command_that_fails_leaves_the_file_as_it_was(app: Project) -> None:
    assert main(["record", "--", sys.executable, "-c", "raise SystemExit(3)"]) == 3
    assert main(["record", "--", sys.executable, "-c", "pass"]) == 2
    assert main(["record"]) == 2
    assert not (app.folder / FILE).exists()


def test_a_sitecustomize_that_was_there_runs(app: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (app.folder / "sitecustomize.py").write_text("import os\nos.environ['THERE'] = 'yes'\n")
    monkeypatch.setenv("PYTHONPATH", str(app.folder))
    asked = f"import os, runpy; assert os.environ['THERE'] == 'yes'; runpy.run_path({str(app.folder / 'app.py')!r})"
    assert main(["record", "--", sys.executable, "-c", asked]) == 0


def test_an_engine_of_ones_own_is_recorded(tmp_path: Path, database: str) -> None:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    record_statements(engine, tmp_path / FILE)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE a (b int)"))
        connection.execute(text("INSERT INTO a /* from here */ VALUES (:b)"), {"b": 5})
        connection.execute(text("SELECT  b\nFROM a WHERE b % 2 = :c"), {"c": 1})
        connection.execute(text("SELECT count(*) FROM pg_class"))
    engine.dispose()
    assert [(each.sql, each.samples) for each in read_file(tmp_path / FILE)] == [
        ("INSERT INTO a VALUES ($1)", ((5,),)),
        ("SELECT b FROM a WHERE b % 2 = $1", ((1,),)),
    ]


TABLES = (
    "CREATE TABLE shops (id int PRIMARY KEY, name text); CREATE TABLE people (id int PRIMARY KEY, shop int REFERENCES"
    " shops, name text, mail text, state text DEFAULT 'new', CONSTRAINT people_mail UNIQUE (mail))"
)
ADD = "INSERT INTO people (id, shop, name, mail) VALUES ($1, $2, $3, $4)"
FIND = "SELECT id, name FROM people WHERE name = $1"
KEEP = "INSERT INTO people (id, mail) VALUES ($1, $2) ON CONFLICT (mail) DO UPDATE SET name = $3"
ADDED = ((1, 17, "ann", "a@b"), (2, 17, "ann", "c@d"), (3, 17, "a" * 30, "e@f"))
Recorded = tuple[str, Sequence[Any]]
CASES: dict[str, tuple[str, list[Recorded], list[str]]] = {
    "a column comes": ("ALTER TABLE people ADD COLUMN age int", [(ADD, ADDED), (FIND, (("ann",),))], []),
    "a column goes": (
        "ALTER TABLE people DROP COLUMN name",
        [(ADD, ADDED), ("SELECT mail FROM people WHERE shop = $1", ((17,),))],
        ['fails: column "name" of relation "people" does not exist'],
    ),
    "a column gets another name, and SELECT * loses it": (
        "ALTER TABLE people RENAME COLUMN name TO title",
        [("SELECT * FROM people WHERE id = $1", ((1,),))],
        ["gives no column name any more."],
    ),
    "a unique key comes": (
        "UPDATE people SET name = id::text; ALTER TABLE people ADD UNIQUE (name)",
        [(ADD, ADDED)],
        ['fails: duplicate key value violates unique constraint "people_name_key"'],
    ),
    "a narrower type": (
        "ALTER TABLE people ALTER COLUMN name TYPE varchar(20)",
        [(ADD, ADDED)],
        ["fails: value too long for type character varying(20)"],
    ),
    "what ON CONFLICT names goes": (
        "ALTER TABLE people DROP CONSTRAINT people_mail",
        [(KEEP, ((1, "a@b", "ann"),))],
        ["fails: there is no unique or exclusion constraint matching the ON CONFLICT specification"],
    ),
    "values are others": (
        "UPDATE people SET state = 'old'; ALTER TABLE people ALTER COLUMN state SET DEFAULT 'old'",
        [("INSERT INTO people (id) VALUES ($1) RETURNING state", ((9,),))],
        ["gives other values in state: 'old', and gave 'new'."],
    ),
    "rows are gone": (
        "DELETE FROM people",
        [("SELECT id FROM people WHERE state IS NOT NULL", ((),))],
        ["is of 0 rows, and was of 1."],
    ),
    "a type of another kind": (
        "ALTER TABLE people ALTER COLUMN id TYPE text",
        [("SELECT id FROM people", ((),))],
        ["gives other values in id: '193', and gave 193."],
    ),
    "a trigger refuses": (
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no more'; END$$;"
        " CREATE TRIGGER no BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION no()",
        [("UPDATE people SET name = $1", (("x",),))],
        ["fails: no more"],
    ),
    "what is random, or fails before, says nothing": (
        "ALTER TABLE people DROP COLUMN mail CASCADE",
        [("SELECT random() AS r, name FROM people", ((),)), ("SELECT age FROM people", ((),))],
        [],
    ),
    "a value that was left out is made up, and where made-up rows stop the revision there are none": (
        "ALTER TABLE people ADD CHECK (length(mail) < 1)",
        [("INSERT INTO people (id, mail) VALUES (77, $1)", (({"left_out": "secret"},),))],
        ['fails: new row for relation "people" violates check constraint "people_mail_check"'],
    ),
}


def recorded(project: Project, statements: Sequence[Recorded]) -> None:
    data = [{"sql": sql, "from": "app.py, f", "samples": samples} for sql, samples in statements]
    (project.folder / FILE).write_text(json.dumps(data))


def found_by_lint(project: Project, url: str, *, with_main: bool = False) -> list[tuple[str, str]]:
    opened = open_project(Config(project.folder / "alembic.ini"))
    branch = main_branch(project.folder) if with_main else None
    found = check(opened, place_of(url), choose(opened, "two:" if with_main else "one:", (), branch), branch)
    return [(each.revision, each.what) for each in found if each.rule.code == "recorded"]


@pytest.mark.parametrize("case", CASES)
def test_lint_makes_them_before_and_after_the_revision(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    change, statements, wanted = CASES[case]
    project.revision("one", None, f"op.execute({TABLES!r})")
    project.revision("two", "one", f"op.execute({change!r})")
    recorded(project, statements)
    expected = [("two", f"{statements[0][0]} (app.py, f) {how}") for how in wanted]
    assert found_by_lint(project, database) == expected


def test_a_file_that_holds_no_recording_is_refused(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(project.folder)
    project.revision("one")
    (project.folder / FILE).write_text('{"sql": 1}')
    assert main(["lint", "all"]) == 2
    assert "statements.json is no file of recorded statements." in capsys.readouterr().err


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@y", *arguments], cwd=folder, check=True)


def test_beside_a_contract_it_is_the_release_that_comes_with_it(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the release before asks is held against what adds; what goes with it is nobody's finding."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(project.folder)
    old: Recorded = ("SELECT name FROM people", [[]])
    new: Recorded = ("SELECT title FROM people", [[]])
    project.revision("one", None, f"op.execute({TABLES!r})", phase="expand")
    recorded(project, [old])
    git(project.folder, "init", "--quiet", "--initial-branch=main")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "--quiet", "--message=x")
    project.revision("two", "one", 'op.add_column("people", sa.Column("title", sa.Text))', phase="expand")
    project.revision("three", "two", 'op.drop_column("people", "name")', phase="contract")
    assert found_by_lint(project, database, with_main=True) == []
    recorded(project, [new])
    assert found_by_lint(project, database, with_main=True) == []
    recorded(project, [old, new])
    gone = 'SELECT name FROM people (app.py, f) fails: column "name" does not exist'
    assert found_by_lint(project, database, with_main=True) == [("three", gone)]


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    statements = [
        Statement("SELECT 'ü' FROM a", "", (("ü", None, 1.5, True),)),
        Statement("SELECT b FROM a", "f", ((),)),
    ]
    write_file(tmp_path / FILE, statements)
    assert read_file(tmp_path / FILE) == statements
