"""A kind of change as data, and what is proved of each: up, equal to the models; down, equal to what was there.

All of it happens in one transaction that is rolled back, on one database: a case costs a few milliseconds. What cannot
be proved in a transaction (a new enum label that is used, the command line) has tests of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pgvector.sqlalchemy
import pytest
import sqlalchemy as sa
from alembic.autogenerate import render_python_code
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql

from alembic_online.autogenerate.context import Context, Schema, read_schema
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.op_rendering import Call
from alembic_online.autogenerate.search_path_names import ShortNames, written_with
from alembic_online.postgres import declared
from alembic_online.postgres.catalogue import compare, describe
from alembic_online.review.lint.check import findings_of
from alembic_online.review.lint.rule import Revision
from alembic_online.review.lint.source import Source

_NAMES: dict[str, Any] = {
    **vars(postgresql),
    **vars(sa),
    **vars(pgvector.sqlalchemy),
    **vars(declared),
    "postgresql": postgresql,
    "sa": sa,
}


@dataclass(frozen=True)
class Case:
    """One change. `before` and `after` are the models as Python: `Table("t", m, Column("a", Text))`, with every name of
    SQLAlchemy, its PostgreSQL dialect, pgvector and `alembic_online.postgres.declared` at hand."""

    name: str
    before: str
    after: str
    up: Sequence[str] = ()
    """Texts that the upgrade's lines contain, in this order."""
    down: Sequence[str] = ()
    rows: str = ""
    """SQL that fills the tables of `before`; then all is done on tables with rows."""
    kept: str = ""
    """A query whose answer is the same before, after the upgrade, and after the downgrade."""
    since: int = 16
    """The PostgreSQL version that brought what the case needs."""
    both_ways: bool = True
    """Whether the case is also proved from `after` to `before`; not with rows."""


def cases(*given: Case) -> pytest.MarkDecorator:
    """A test for each."""
    return pytest.mark.parametrize("case", given, ids=[case.name for case in given])


def prove(connection: Connection, case: Case) -> bool:
    """True where the written lines lead from one state to the other and back; else it raises with what differs."""
    if connection.dialect.server_version_info < (case.since,):  # type: ignore[operator]
        pytest.skip(f"needs PostgreSQL {case.since}")
    before, after = (_schema_of(connection, models) for models in (case.before, case.after))
    with written_with(ShortNames.of(connection, "public")):
        up = plan(Context(before, after, _metadata(case.after)))
        down = plan(Context(after, before))
    _contains(up, case.up)
    _contains(down, case.down)
    assert not [line for line in map(str, [*up, *down]) if "public." in line], "it works in one schema alone"
    with _built(connection, case.before):
        if case.rows:
            connection.exec_driver_sql(case.rows, execution_options={"no_parameters": True})
        kept = _answer(connection, case.kept)
        run(connection, up, _metadata(case.after))
        equal(read(connection), after, up)
        assert _answer(connection, case.kept) == kept
        run(connection, down, _metadata(case.after))
        equal(read(connection), before, down)
        assert _answer(connection, case.kept) == kept
    if case.both_ways and not case.rows:
        with _built(connection, case.after):
            run(connection, plan(Context(after, before, _metadata(case.before))))
            equal(read(connection), before, down)
    return True


def _metadata(models: str) -> MetaData:
    metadata = MetaData()
    exec(models, {**_NAMES, "m": metadata})
    return metadata


@contextmanager
def _built(connection: Connection, models: str) -> Iterator[None]:
    with connection.begin_nested() as savepoint:
        _metadata(models).create_all(connection, checkfirst=False)
        yield
        savepoint.rollback()


def _schema_of(connection: Connection, models: str) -> Schema:
    with _built(connection, models):
        return read(connection)


def schema_and_models(connection: Connection, models: str) -> tuple[Schema, MetaData]:
    """What models make of an empty database, and the models."""
    return _schema_of(connection, models), _metadata(models)


def read(connection: Connection) -> Schema:
    """The schema as it is now."""
    return read_schema(connection)


def run(connection: Connection, operations: Sequence[MigrateOperation], metadata: MetaData | None = None) -> None:
    """Carry out the lines as they stand in the file, with its imports, of a project with these models."""
    op = Operations(MigrationContext.configure(connection, opts={"target_metadata": metadata}))
    names: dict[str, Any] = {"op": op, "sa": sa}
    imports = {statement for line in operations if isinstance(line, Call) for statement in line.imports}
    body = render_python_code(UpgradeOps(list(operations)))
    text = "\n".join([*sorted(imports), f"def revise():\n    {body}\n    return"])
    _lint(text)
    try:
        exec(text, names)
        names["revise"]()
    except Exception as error:
        error.add_note(text)
        raise


def _lint(text: str) -> None:
    """What is written is sound by its text; that it is so by what it does is what the case proves."""
    revision = Revision("002_case", ("001_case",), Source(Path("002_case.py"), f'"""show the case"""\n{text}'))
    found = [each.what for each in findings_of(revision) if each.rule.code != "downgrade"]
    assert not found, "\n".join([*found, text])


def equal(found: Schema, wanted: Schema, lines: Sequence[object]) -> None:
    """Raise AssertionError, in words, where two schemas differ; `lines` are what was to make them equal."""
    differences = describe(compare(found.catalogue, wanted.catalogue))
    assert not differences, "\n".join([differences, "after:", *map(str, lines)])


def _contains(operations: Sequence[object], wanted: Sequence[str]) -> None:
    written, place = "\n".join(map(str, operations)), 0
    for text in wanted:
        place = written.find(text, place)
        assert place >= 0, f"{text!r} is not in:\n{written}"


def _answer(connection: Connection, query: str) -> object:
    return connection.exec_driver_sql(query).fetchall() if query else None
