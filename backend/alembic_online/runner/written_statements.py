"""The statements of a revision that its file writes out, one line after the other, up to the first that it does not.

A stock operation is turned into SQL by Alembic itself, in a script of its own; nothing of the revision is run. A line
whose outcome depends on anything else (a condition, a loop, a query, a function of the file) ends it: what comes after
such a line may find other rows than are there now.
"""

import ast
import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa
from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy.dialects.postgresql import CreateEnumType, DropEnumType
from sqlalchemy.dialects.postgresql.base import PGDialect

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
_DIALECT = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's own
_FAILED = object()
_SIMPLE = (ast.expr_context, ast.operator, ast.unaryop, ast.keyword)
_VALUES = (
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.Name,
    ast.Attribute,
    ast.Call,
    ast.UnaryOp,
    ast.JoinedStr,
    ast.FormattedValue,
)


class _Connection:
    """What `op.get_bind()` gives, of which nothing is asked."""


def written_statements(script: Script, function: str) -> Iterator[str]:
    """The SQL of `upgrade` or `downgrade`, a statement each."""
    tree = ast.parse(Path(script.path).read_text(encoding="utf-8"))
    body = next((node.body for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function), [])
    names: dict[str, object] = dict(vars(script.module))
    for node in body:
        if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue  # a docstring
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Assign):
            if not (_assign(node, names) if isinstance(node, ast.Assign) else _import(node, names)):
                return
        elif (sql := _sql_of_line(node, names)) is not None:
            yield from (each for text in texts(sql) if (each := text.strip().rstrip(";")))
        else:
            return


def _import(node: ast.stmt, names: dict[str, object]) -> bool:
    try:
        exec(compile(ast.Module([node], []), "<revision>", "exec"), names)
    except Exception:  # its line will tell
        return False
    return True


def _assign(node: ast.Assign, names: dict[str, object]) -> bool:
    """Give a name to what is written out, or to the connection; False for anything else."""
    (target, *others) = node.targets
    if others or not isinstance(target, ast.Name):
        return False
    if _is_bind(node.value, names):
        names[target.id] = _Connection()
        return True
    if _uses_op(node.value, names) or not _are_plain([node.value], names):
        return False
    names[target.id] = _evaluated(node.value, names)
    return names[target.id] is not None


def _sql_of_line(node: ast.stmt, names: dict[str, object]) -> str | None:
    if isinstance(node, ast.With):
        return _sql_of_batch(node, names)
    return _sql(node.value, names) if isinstance(node, ast.Expr) else None


def _sql(node: ast.expr, names: dict[str, object]) -> str | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    if node.func.attr in ("create", "drop"):
        return _sql_of_enum(node, node.func, names)
    if node.func.attr not in _STOCK or not (
        isinstance(node.func.value, ast.Name) and names.get(node.func.value.id) is op
    ):
        return None
    if not _are_plain([*node.args, *node.keywords], names):
        return None
    written = io.StringIO()
    done = _evaluated(node, {**names, node.func.value.id: _writing(written)}, otherwise=_FAILED)
    return None if done is _FAILED else written.getvalue()


def _sql_of_batch(node: ast.With, names: dict[str, object]) -> str | None:
    """Of `with op.batch_alter_table("t") as batch:`, whose operations PostgreSQL is sent one after the other."""
    (item, *others) = node.items
    call, target = item.context_expr, item.optional_vars
    if others or not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return None
    op_name = call.func.value
    if call.func.attr != "batch_alter_table" or not (isinstance(op_name, ast.Name) and names.get(op_name.id) is op):
        return None
    calls = [each.value for each in node.body if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call)]
    of_batch = [
        each.func.value.id
        for each in calls
        if isinstance(each.func, ast.Attribute) and isinstance(each.func.value, ast.Name)
    ]
    if not isinstance(target, ast.Name) or of_batch != [target.id] * len(node.body):
        return None
    given = [part for each in (call, *calls) for part in (*each.args, *each.keywords)]
    if not _are_plain(given, names):
        return None
    written = io.StringIO()
    try:
        exec(compile(ast.Module([node], []), "<revision>", "exec"), {**names, op_name.id: _writing(written)})
    except Exception:  # its line will tell
        return None
    return written.getvalue()


def _writing(written: io.StringIO) -> Operations:
    """Operations that only write down their SQL."""
    options = {"as_sql": True, "output_buffer": written, "literal_binds": True}
    with _unlogged():
        context = MigrationContext.configure(
            dialect_name="postgresql", opts=options, dialect_opts={"paramstyle": "named"}
        )
    return Operations(context)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Alembic says of each context that it is made; nobody has asked for this one."""
    log = logging.getLogger("alembic.runtime.migration")
    log.addFilter(_nothing)
    try:
        yield
    finally:
        log.removeFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False


def _sql_of_enum(node: ast.Call, func: ast.Attribute, names: dict[str, object]) -> str | None:
    """Of `sa.Enum(..., name=...).create(op.get_bind(), checkfirst=True)`, or `drop`."""
    is_bound = len(node.args) == 1 and _is_bind(node.args[0], names)
    is_plain = is_bound and not _uses_op(func.value, names) and _are_plain([func.value], names)
    kind = _evaluated(func.value, names) if is_plain else None
    if not isinstance(kind, sa.Enum) or not kind.name:
        return None
    own = kind.dialect_impl(_DIALECT)
    return str((CreateEnumType if func.attr == "create" else DropEnumType)(own).compile(dialect=_DIALECT))


def _is_bind(node: ast.expr, names: dict[str, object]) -> bool:
    if isinstance(node, ast.Name):
        return isinstance(names.get(node.id), _Connection)
    called = node.func if isinstance(node, ast.Call) else None
    is_op = (
        isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and names.get(called.value.id) is op
    )
    return is_op and isinstance(called, ast.Attribute) and called.attr == "get_bind"


def _uses_op(node: ast.expr, names: dict[str, object]) -> bool:
    """Whether it may be an operation, which is carried out when its line comes, and not before."""
    return any(isinstance(each, ast.Name) and names.get(each.id) is op for each in ast.walk(node))


def _evaluated(node: ast.expr, names: dict[str, object], otherwise: object = None) -> object:
    try:
        return eval(compile(ast.Expression(node), "<revision>", "eval"), dict(names))
    except Exception:  # what cannot be written down, or not without a database: its line will tell
        return otherwise


def _are_plain(parts: Sequence[ast.AST], names: dict[str, object]) -> bool:
    return all(_is_plain(each, names) for part in parts for each in ast.walk(part))


def _is_plain(node: ast.AST, known: dict[str, object]) -> bool:
    """Whether it is written out: constants, and what a module makes, such as `sa.String(9)`."""
    if isinstance(node, ast.Call):
        root = node.func
        while isinstance(root, ast.Attribute):
            root = root.value
        return isinstance(root, ast.Name) and isinstance(known.get(root.id), ModuleType | type)
    return isinstance(node, (*_VALUES, *_SIMPLE))
