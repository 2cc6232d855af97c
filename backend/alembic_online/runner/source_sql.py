"""The SQL of operations that a revision file writes out, read from its text: none of it is run.

A name that the revision computes is not seen, nor what it does under a condition or in a loop.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from alembic.ddl.base import AddColumn
from alembic.ddl.postgresql import PostgresqlColumnType
from alembic.script import Script
from sqlalchemy import Column, MetaData, Table

from alembic_online.recipes.names import ddl, qualified, quoted


class _Batch(NamedTuple):
    """The table of a `with op.batch_alter_table(...) as batch`."""

    table: str
    schema: str


def written_out(script: Script, function: str) -> list[str]:
    """The statements of `upgrade` or `downgrade`, in their order; what only makes something is left out."""
    body = _function(script, function)
    found = (_statement(call, batches, script) for call, batches in _calls(body.body if body else (), {}))
    return [statement for statement in found if statement]


def inserts_rows(script: Script, function: str) -> bool:
    """Whether it inserts rows, in whatever way."""
    body = _function(script, function)
    return body is not None and any(map(_inserts, ast.walk(body)))


def _function(script: Script, name: str) -> ast.FunctionDef | None:
    return _functions(Path(script.path).read_text(encoding="utf-8")).get(name)


@lru_cache(maxsize=8)  # each file is looked at from several sides, one after the other
def _functions(text: str) -> dict[str, ast.FunctionDef]:
    """Of a file, by their names: the first of each."""
    return {node.name: node for node in reversed(ast.parse(text).body) if isinstance(node, ast.FunctionDef)}


def _inserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("bulk_insert", "insert", "insert_from_select", "add", "add_all")
    return _constant(node).lstrip().upper().startswith(("INSERT", "COPY", "MERGE", "WITH"))


def _calls(body: Sequence[ast.stmt], batches: Mapping[str, _Batch]) -> Iterator[tuple[ast.Call, Mapping[str, _Batch]]]:
    for node in body:
        if isinstance(node, ast.With):
            yield from _calls(node.body, {**batches, **dict(_batches(node))})
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node.value, batches


def _batches(node: ast.With) -> Iterator[tuple[str, _Batch]]:
    for item in node.items:
        call, name = item.context_expr, item.optional_vars
        if isinstance(call, ast.Call) and isinstance(name, ast.Name) and _name(call) == "batch_alter_table":
            yield name.id, _Batch(_text(call.args[0]) if call.args else "", _options(call).get("schema", ""))


def _statement(call: ast.Call, batches: Mapping[str, _Batch], script: Script) -> str:
    """The SQL of an operation that takes something away or changes it; "" for any other."""
    given, options = [_text(each) for each in call.args], _options(call)
    schema = options.get("schema", "")
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        batch = batches.get(call.func.value.id)
        given, schema = ([batch.table, *given], batch.schema) if batch else (given, schema)
    match _name(call), given:
        case "drop_table", [str(table), *_] if table:
            return f"DROP TABLE {qualified(table, schema)}"
        case "create_table", [str(table), *_] if table:
            return f"CREATE TABLE {qualified(table, schema)} ()"
        case "rename_table", [str(table), str(name), *_] if table and name:
            return f"ALTER TABLE {qualified(table, schema)} RENAME TO {quoted(name)}"
        case "drop_column", [str(table), str(column), *_] if table and column:
            return f"ALTER TABLE {qualified(table, schema)} DROP COLUMN {quoted(column)}"
        case "add_column", [str(table), *_] if table:
            return _added([*call.args[len(call.args) - 1 :]], script, table, schema)
        case "alter_column", [str(table), str(column), *_] if table and column:
            return "; ".join(_altered(call, script, table, column, schema))
        case "execute", [str(sql), *_]:
            return sql
    return ""


def _added(last: Sequence[ast.expr], script: Script, table: str, schema: str) -> str:
    """Of a generated column, which may stand in the place of one with the same values."""
    column = _value(last[0], script) if last else None
    if not isinstance(column, Column) or column.computed is None:
        return ""
    Table(table, MetaData(), column, schema=schema or None)
    return ddl(AddColumn(table, column, schema=schema or None))


def _altered(call: ast.Call, script: Script, table: str, column: str, schema: str) -> Iterator[str]:
    options = _options(call)
    kind = next((_value(each.value, script) for each in call.keywords if each.arg == "type_"), None)
    if kind is not None:
        using = options.get("postgresql_using") or None
        yield ddl(PostgresqlColumnType(table, column, kind, schema=schema or None, using=using))
    if name := options.get("new_column_name"):
        yield f"ALTER TABLE {qualified(table, schema)} RENAME {quoted(column)} TO {quoted(name)}"


def _value(node: ast.expr, script: Script) -> Any:
    """A type that is written out, such as `sa.String(3)`, by the imports of its file, which Alembic has run already."""
    if not isinstance(node, ast.Call | ast.Attribute | ast.Name):
        return None
    code = compile(ast.Expression(node), str(script.path), "eval")
    try:
        return eval(code, dict(vars(script.module)))
    except Exception:  # a name of the function's own: its operation will tell
        return None


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _options(call: ast.Call) -> dict[str, str]:
    return {each.arg: _text(each.value) for each in call.keywords if each.arg}


def _text(node: ast.expr) -> str:
    """A string that is written out, also inside of `text(...)`."""
    if isinstance(node, ast.Call) and len(node.args) == 1:
        node = node.args[0]
    return _constant(node)


def _constant(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
