"""The one line of an env.py: found in whatever shape, and nothing else of the file touched."""

import ast
from collections import Counter
from pathlib import Path

import alembic
import pytest

from alembic_online.adopt.env_file import is_adopted, with_left_alone, with_online
from tests.alembic_online.own_project import adopted
from tests.alembic_online.projects.shapes import SHAPES

TEMPLATES = sorted((Path(alembic.__file__).parent / "templates").glob("*/env.py"))
PROJECTS = sorted((Path(__file__).parent.parent / "projects").glob("*/**/env.py"))
BLOCK = "with context.begin_transaction():\n    context.run_migrations()\n"
CHANGED = {
    "from alembic import context\n" + BLOCK: "from alembic import context\nfrom alembic_online import online\n"
    "with online(context):\n    context.run_migrations()\n",
    "from alembic import context as c\nwith c.begin_transaction():\n    c.run_migrations()\n": (
        "from alembic import context as c\nfrom alembic_online import online\nwith online(c):\n    c.run_migrations()\n"
    ),
    "import alembic.context\nwith alembic.context.begin_transaction():\n    alembic.context.run_migrations()": (
        "import alembic.context\nfrom alembic_online import online\n"
        "with online(alembic.context):\n    alembic.context.run_migrations()"
    ),
    '"""Café."""\nfrom alembic import context\n\nif "é": \n    with lock("é"), context.begin_transaction():  # here\n'
    "        context.run_migrations()\n": (
        '"""Café."""\nfrom alembic import context\nfrom alembic_online import online\n\nif "é": \n'
        '    with lock("é"), online(context):  # here\n        context.run_migrations()\n'
    ),
    "from alembic import context\r\nwith context.begin_transaction():\r\n    context.run_migrations()\r\n": (
        "from alembic import context\r\nfrom alembic_online import online\r\n"
        "with online(context):\r\n    context.run_migrations()\r\n"
    ),
    '"""Said."""\nfrom __future__ import annotations\n\ndef run():\n    from alembic import context\n    '
    + BLOCK.replace("\n    ", "\n        "): (
        '"""Said."""\nfrom __future__ import annotations\nfrom alembic_online import online\n\ndef run():\n'
        "    from alembic import context\n    with online(context):\n        context.run_migrations()\n"
    ),
}
LEFT = [
    "from alembic import context\ncontext.run_migrations()\n",
    "from alembic import context\nwith context.begin_transaction() as begun:\n    context.run_migrations()\n",
    "from alembic import context\nwith context.begin_transaction():\n    pass\n",
    "from alembic import context\nonline = True\n" + BLOCK,
    "from mine import context\n" + BLOCK,
]


def test_all_shapes_are_there() -> None:
    assert (len(TEMPLATES) >= 4, len(PROJECTS) >= len(SHAPES)) == (True, True)


@pytest.mark.parametrize("path", [*TEMPLATES, *PROJECTS], ids=lambda path: path.parent.name)
def test_what_people_have_is_changed_in_its_lines_and_nowhere_else(path: Path) -> None:
    source = path.read_text()
    changed = with_online(source)
    assert changed is not None
    assert Counter(changed.splitlines()) == Counter(adopted(source).splitlines())
    assert (is_adopted(source), is_adopted(changed)) == (False, True)
    assert "begin_transaction" not in changed


@pytest.mark.parametrize(("source", "changed"), CHANGED.items(), ids=range(len(CHANGED)))
def test_it_is_changed_where_it_stands(source: str, changed: str) -> None:
    assert with_online(source) == changed
    ast.parse(changed)


@pytest.mark.parametrize("source", LEFT, ids=range(len(LEFT)))
def test_what_means_something_else_is_left(source: str) -> None:
    assert with_online(source) is None


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("from alembic import context\ntarget_metadata = Base.metadata\n", "declare(target_metadata, "),
        ("from alembic import context\ntarget_metadata = None\n", None),
        ("from alembic import context\ntarget_metadata = [a, b]\n", None),
    ],
)
def test_what_is_left_alone_is_said_after_the_models(source: str, line: str | None) -> None:
    source += "context.configure(target_metadata=target_metadata)\n"
    changed = with_left_alone(source, ["legacy_*", "x"])
    if line is None:
        assert changed is None
        return
    assert changed is not None
    assert changed.splitlines()[3] == f'{line}LeaveAlone("legacy_*"), LeaveAlone("x"))'
