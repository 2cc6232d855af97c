"""A person's spelling of what autogenerate wrote: raw SQL, another order, blocks of its own, and habits.

What plain Alembic cannot carry out any more is no example.
"""

import ast
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from textwrap import dedent, indent
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.habits import Habit, Scene
from alembic_online.testing.crucible.schema import Schema

_PARAMETER = re.compile(r"(?<!:):\w")
_BLOCK = "with op.get_context().autocommit_block():"


def spelled(text: str, seed: str, habits: Sequence[Habit], before: Schema, after: Schema) -> str:
    """The file of a revision, written otherwise; `seed` is empty where its lines stay as they are."""
    tree, dice = ast.parse(text), Dice(f"spelling {seed}")
    imports = "\n".join(ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    parts = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            lines = [ast.unparse(each) for each in node.body]
            if seed:
                lines = [*_otherwise(lines, dice, imports)]
            for habit in habits:
                lines = habit.apply(lines, Scene(before, after, node.name == "upgrade"))
            parts.append("\n\ndef {}() -> None:\n{}".format(node.name, indent("\n".join(lines), "    ")))
    return "\n".join(['"""change"""', imports, *parts, ""])


def _otherwise(lines: Sequence[str], dice: Dice, imports: str) -> Iterator[str]:
    """The body of a function."""
    order = [*lines]
    if len(order) > 1 and dice.chance(0.2):
        place = dice.number(0, len(order) - 2)
        order[place], order[place + 1] = order[place + 1], order[place]
    raw = dice.chance(0.5)
    for line in order:
        written = _as_sql(line, imports) if raw and dice.chance(0.7) else []
        if written and dice.chance(0.3):
            yield f"op.execute({';'.join(written)!r})"
        elif written:
            yield from (f"op.execute({statement!r})" for statement in written)
        elif dice.chance(0.05):
            yield f"{_BLOCK}\n{indent(line, '    ')}"
        else:
            yield line


def _as_sql(line: str, imports: str) -> list[str]:
    """The statements of one line as plain Alembic writes them; none where it needs an answer of the database."""
    written = io.StringIO()
    options = {"as_sql": True, "output_buffer": written, "literal_binds": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    names: dict[str, Any] = {"op": Operations(context), "sa": sa, "dedent": dedent}
    try:
        with redirect_stdout(io.StringIO()):
            exec(imports.replace("from alembic import op", ""), names)
            exec(line, names)
    except Exception:
        return []  # an operation of the toolkit's own, or one that reads
    found = [each.strip().rstrip(";") for each in written.getvalue().split(";\n\n") if each.strip()]
    return [] if any(_PARAMETER.search(each) or "%" in each for each in found) else found
