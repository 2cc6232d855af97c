"""The statements of a revision that its file writes out, one line after the other, up to the first that it does not.

A stock operation is turned into SQL by Alembic itself, in a script of its own; nothing of the revision is run. A line
whose outcome depends on anything else (a condition, a loop, a query, a function of the file) ends it: what comes after
such a line may find other rows than are there now.
"""

import ast
import io
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script

from alembic_online.postgres.locks.reader import texts

_STOCK = (
    "add_column",
    "alter_column",
    "create_check_constraint",
    "create_foreign_key",
    "create_index",
    "create_primary_key",
    "create_table",
    "create_unique_constraint",
    "drop_column",
    "drop_constraint",
    "drop_index",
    "drop_table",
    "execute",
    "rename_table",
)
_SIMPLE = (ast.expr_context, ast.operator, ast.unaryop, ast.keyword)
_VALUES = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Name, ast.Attribute, ast.Call, ast.UnaryOp)


def written_statements(script: Script, function: str) -> Iterator[str]:
    """The SQL of `upgrade` or `downgrade`, a statement each."""
    tree = ast.parse(Path(script.path).read_text(encoding="utf-8"))
    body = next((node.body for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function), [])
    for node in body:
        if not isinstance(node, ast.Expr):
            return
        if isinstance(node.value, ast.Constant):
            continue  # a docstring
        sql = _sql(node.value, script)
        if sql is None:
            return
        yield from (each for text in texts(sql) if (each := text.strip().rstrip(";")))


def _sql(node: ast.expr, script: Script) -> str | None:
    known = vars(script.module)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _STOCK):
        return None
    if not (isinstance(node.func.value, ast.Name) and known.get(node.func.value.id) is op):
        return None
    if not all(_is_plain(each, known) for part in (*node.args, *node.keywords) for each in ast.walk(part)):
        return None
    written = io.StringIO()
    options = {"as_sql": True, "output_buffer": written, "literal_binds": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    names = {**known, node.func.value.id: Operations(context)}
    try:
        eval(compile(ast.Expression(node), str(script.path), "eval"), names)
    except Exception:  # what cannot be written down, or not without a database: its line will tell
        return None
    return written.getvalue()


def _is_plain(node: ast.AST, known: dict[str, object]) -> bool:
    """Whether it is written out: constants, and what a module makes, such as `sa.String(9)`."""
    if isinstance(node, ast.Call):
        root = node.func
        while isinstance(root, ast.Attribute):
            root = root.value
        return isinstance(root, ast.Name) and isinstance(known.get(root.id), ModuleType | type)
    return isinstance(node, (*_VALUES, *_SIMPLE))
