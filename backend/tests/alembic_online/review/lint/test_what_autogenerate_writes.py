"""Lint runs what autogenerate writes, both ways, on tables that count as large, and condemns none of it.

The cases are those of autogenerate's own tests: each a chain of two revisions, from nothing and from one to the other.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from pkgutil import iter_modules
from typing import NamedTuple

import pytest
from alembic.autogenerate import render_python_code
from alembic.config import Config
from alembic.operations import MigrateOperation
from alembic.operations.ops import UpgradeOps
from sqlalchemy import Connection, create_engine, pool

from alembic_online.autogenerate.context import Context
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.op_rendering import Call
from alembic_online.autogenerate.search_path_names import ShortNames, written_with
from alembic_online.autogenerate.verification import constraints_left_open
from alembic_online.postgres.scratch import Place, read_place
from alembic_online.review.lint.check import check, choose
from alembic_online.review.lint.rule import Finding
from alembic_online.revisions.project import open_project
from tests.alembic_online import autogenerate
from tests.alembic_online.autogenerate.case import Case, read, schema_and_models
from tests.alembic_online.project import make_project
from tests.alembic_online.review.lint.found_in_what_autogenerate_writes import FOUND, NOT_TRIED
from tests.longer_proofs import every
from tests.servers import Server

OF_THE_MODELS = {"data-loss", "one-change", "still-mapped", "foreign-key-index", "foreign-key-type"}
"""Rules that judge what the models say, not how it is written down."""


class BothWays(NamedTuple):
    """The lines of one revision."""

    up: Sequence[MigrateOperation]
    down: Sequence[MigrateOperation]
    leaves: list[str]


class Named(NamedTuple):
    """A case, by the module that has it."""

    module: str
    case: Case

    def __str__(self) -> str:
        return f"{self.module}: {self.case.name}"


def _cases() -> Iterator[Named]:
    for found in iter_modules(autogenerate.__path__):
        module = import_module(f"{autogenerate.__name__}.{found.name}")
        for test in vars(module).values():
            for mark in getattr(test, "pytestmark", ()):
                of_it = [case for case in chain(*mark.args[1:]) if isinstance(case, Case)]
                yield from (Named(found.name.removeprefix("test_"), case) for case in of_it)


@pytest.fixture(scope="module")
def empty(server: Server) -> Iterator[Connection]:
    """A connection to an empty database, where each case is built and rolled back."""
    with server.database() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
        with engine.connect() as connection:
            yield connection


@pytest.mark.parametrize("named", every(89, [each for each in _cases() if str(each) not in NOT_TRIED]))
def test_nothing_is_found_but_what_is_so(named: Named, empty: Connection, tmp_path: Path) -> None:
    case = named.case
    if empty.dialect.server_version_info < (case.since,):  # type: ignore[operator]
        pytest.skip(f"needs PostgreSQL {case.since}")
    with empty.begin() as transaction:
        nothing, place = read(empty), read_place(empty)
        (before, _), (after, models) = (schema_and_models(empty, text) for text in (case.before, case.after))
        with written_with(ShortNames.of(empty, "public")):
            ways = [
                BothWays(plan(Context(nothing, before)), plan(Context(before, nothing)), []),
                BothWays(plan(Context(before, after, models)), plan(Context(after, before)), []),
            ]
        ways = [
            each._replace(leaves=constraints_left_open(*schemas))
            for each, schemas in zip(ways, [(nothing, before), (before, after)], strict=True)
        ]
        transaction.rollback()
    found = _lint(tmp_path, ways, place)
    texts = [path.read_text() for path in sorted(tmp_path.glob("versions/*.py"))]
    said = [f"{each.rule.code}: {each.what}" for each in found]
    assert {each.rule.code for each in found} == {*FOUND.get(str(named), ())}, "\n".join([*said, *texts])


def _lint(folder: Path, ways: Sequence[BothWays], place: Place) -> list[Finding]:
    """What is found in a chain of such revisions, written as autogenerate writes them."""
    project, parent = make_project(folder), None
    for number, each in enumerate(ways, 1):
        up, down = (render_python_code(UpgradeOps(list(lines))) for lines in (each.up, each.down))
        path = project.revision(f"{number:03d}_change", parent, up, down)
        parent = f"{number:03d}_change"
        imports = {text for line in (*each.up, *each.down) if isinstance(line, Call) for text in line.imports}
        head = ["import op", *sorted(imports), *([f"leaves = {each.leaves!r}"] if each.leaves else []), ""]
        text = path.read_text().replace("import op\n", "\n".join(head), 1)
        path.write_text(text.replace(f'"""{parent}."""', '"""show the case to lint"""'))
    opened = open_project(Config(project.folder / "alembic.ini"))
    found = check(opened, place, choose(opened, "all", ()))
    return [each for each in found if each.rule.code not in OF_THE_MODELS]
