"""The crucible: random examples that are to pass, and what it must not overlook itself.

What it has found up to now is in `found.md` beside this file.
"""

import ast
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, MetaData

from alembic_online.testing.crucible.databases import Databases
from alembic_online.testing.crucible.example import Example, random_example, read, written
from alembic_online.testing.crucible.foreign import schema_of
from alembic_online.testing.crucible.habits import HABITS, Habit
from alembic_online.testing.crucible.interruptions import listening
from alembic_online.testing.crucible.preparation import Preparations
from alembic_online.testing.crucible.runs import Runs
from alembic_online.testing.crucible.shrinking import shrink
from alembic_online.testing.crucible.spellings import spelled
from alembic_online.testing.crucible.trial import Trial
from tests.servers import Server

_FEW = ("8.4", "8.8", "8.9", "9.1", "9.5", "9.6", "9.10")
_SECONDS = 600.0
_LINES = "".join(f"def {name}():\n    one()\n    two()\n    three()\n" for name in ("upgrade", "downgrade"))


@pytest.fixture
def databases(server: Server) -> Iterator[Databases]:
    """Of this test alone."""
    with closing(Databases(server.admin, f"crucible_{secrets.token_hex(4)}")) as databases:
        yield databases


@pytest.mark.parametrize("seed", _FEW)
def test_a_random_change_ends_as_plain_alembic_ends_it(databases: Databases, seed: str) -> None:
    outcome, words = Runs(databases, print).one(random_example(seed))
    assert not outcome.faults, words


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_many_random_changes_do(databases: Databases) -> None:
    totals = Runs(databases, print).many("prove", range(1, 10_000), _SECONDS)
    assert totals.failed == 0, "\n".join(totals.lines())


def test_what_should_not_be_there_is_found(databases: Databases, server: Server, tmp_path: Path) -> None:
    example = replace(random_example("1.1"), interruptions=(), below=False)

    def meddle(connection: Connection, statement: str) -> None:
        if "INSERT INTO public.alembic_history" in statement:
            with psycopg.connect(server.url(str(connection.engine.url.database)), autocommit=True) as session:
                session.execute("CREATE TABLE IF NOT EXISTS strange ()")

    with listening(meddle):
        outcome = Trial(example, databases, tmp_path, Preparations(databases)).run()
    assert [fault for fault in outcome.faults if fault.startswith("upgrade: another schema")]


def test_examples_of_one_change_have_other_habits_and_interruptions() -> None:
    first, second, other = (random_example(f"7.{number}") for number in (4, 5, 7))
    assert (first.before, first.changes) == (second.before, second.changes) != (other.before, other.changes)
    assert (first.habits, first.interruptions) != (second.habits, second.interruptions)


@pytest.mark.parametrize("kind", HABITS)
def test_a_habit_changes_what_is_written_and_leaves_it_python(kind: str) -> None:
    examples = [random_example(f"habits.{number}") for number in range(3, 60, 3)]
    written = [spelled(_LINES, "", (Habit(kind, each.seed),), each.before, each.after) for each in examples]
    assert len({*map(ast.unparse, map(ast.parse, written))}) > len(examples) // 3


@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_an_example_is_read_as_it_was_written(seed: str) -> None:
    example = random_example(seed)
    assert read(written(example)) == example
    assert random_example(seed) == example


def test_what_does_not_matter_is_left_out() -> None:
    example = next(each for each in map(random_example, map(str, range(99))) if len(each.before.tables) > 3)
    name = example.before.tables[0].name

    def fails(smaller: Example) -> str:
        return "rows: of the first" if name in {table.name for table in smaller.before.tables} else ""

    smaller = shrink(example, "rows: of the first", fails, most=400)
    assert [table.name for table in smaller.before.tables if len(table.columns) < 3] == [name]
    assert not smaller.interruptions
    assert len(smaller.changes) == 1


def test_models_of_ones_own_are_changed(databases: Databases) -> None:
    schema = schema_of(_library())
    assert [table.fixed for table in schema.tables] == [(), ("pages",)]
    outcome, words = Runs(databases, print).one(random_example("own.2", schema))
    assert not outcome.faults, words


def _library() -> MetaData:
    metadata = MetaData(
        naming_convention={"ix": "ix_%(column_0_label)s", "ck": "ck_%(table_name)s_%(constraint_name)s"}
    )
    sa.Table(
        "shelves",
        metadata,
        sa.Column("shelf", sa.Integer, primary_key=True),
        sa.Column("place", sa.String(40), nullable=False, server_default="here"),
        sa.Column("state", sa.Enum("open", "closed", name="state")),
    )
    sa.Table(
        "volumes",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("title", sa.Text, index=True),
        sa.Column("pages", sa.Integer, sa.CheckConstraint("pages > 0", name="pages")),
        sa.Column("shelf_id", sa.ForeignKey("shelves.shelf", name="fk_shelf")),
    )
    return metadata
