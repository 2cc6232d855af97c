"""Branches of a revision that only another database system takes: `if dialect == "sqlite": ...`."""

import ast
from collections.abc import Iterator

_OURS = "postgresql"
_OTHERS = frozenset({"sqlite", "mysql", "mariadb", "mssql", "oracle", "db2", "snowflake", "bigquery"})


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Like `ast.walk`, without what never runs on PostgreSQL."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        never = _never(node)
        waiting += [child for child in ast.iter_child_nodes(node) if not any(child is each for each in never)]


def _never(node: ast.AST) -> list[ast.AST]:
    if not isinstance(node, ast.If | ast.IfExp):
        return []
    known = _is_true(node.test)
    branch = {None: [], True: node.orelse, False: node.body}[known]
    return [*branch] if isinstance(branch, list) else [branch]


def _is_true(test: ast.expr) -> bool | None:
    """On PostgreSQL; None where it does not ask which system this is."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            known = _is_true(operand)
            return None if known is None else not known
        case ast.BoolOp(op=ast.And(), values=values):
            return False if any(_is_true(value) is False for value in values) else None
        case ast.BoolOp(op=ast.Or(), values=values):
            return True if any(_is_true(value) is True for value in values) else None
        case ast.Compare(ops=[ast.Eq() | ast.In()], comparators=[names]):
            return _is_ours(names)
        case ast.Compare(ops=[ast.NotEq() | ast.NotIn()], comparators=[names]):
            known = _is_ours(names)
            return None if known is None else not known
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, kind]):
            name = kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", "")
            return False if any(name.lower().startswith(other) for other in _OTHERS) else None
        case _:
            return None


def _is_ours(node: ast.expr) -> bool | None:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    names = {part.value for part in parts if isinstance(part, ast.Constant)}
    if _OURS in names:
        return True
    return False if names and names <= _OTHERS else None
