"""order: what is done first depends on the order of a set, a folder, or the rows."""

import ast
from collections.abc import Iterator, Mapping

from alembic_online.review.lint.other_servers import nodes
from alembic_online.review.lint.rule import Found, Revision, Rule
from alembic_online.review.lint.source import Source

_FOLDERS = frozenset({"os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob"})
_METHODS = frozenset({"iterdir", "glob", "rglob"})
_REGARDLESS = frozenset({"sorted", "set", "frozenset", "len", "any", "all", "sum", "min", "max"})
_SETS = frozenset({"add", "discard", "remove", "update"})
_LOGS = frozenset({"debug", "info", "warning", "error", "print"})


def _check(revision: Revision) -> Iterator[Found]:
    source = revision.source
    parents = {child: node for node in ast.walk(source.tree) for child in ast.iter_child_nodes(node)}
    for node in nodes(source.tree):
        if isinstance(node, ast.For | ast.comprehension) and (what := _unordered(node.iter, source)):
            done = node if isinstance(node, ast.For) else parents[node]
            if not _is_the_same_anyhow(done, parents, source):
                remedy = f"for ... in sorted({ast.unparse(node.iter)}): ..."
                yield Found(f"It goes through {what} in no certain order.", node.iter.lineno, remedy)


def _is_the_same_anyhow(node: ast.AST, parents: Mapping[ast.AST, ast.AST], source: Source) -> bool:
    """Whether the outcome is the same in any order: a set, a sum, a loop that only collects, raises or logs."""
    if isinstance(node, ast.For):
        inside = [each for statement in node.body for each in ast.walk(statement)]
        calls = [each.func for each in inside if isinstance(each, ast.Call)]
        names = {each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in calls}
        stored = any(isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Store) for each in inside)
        return not stored and names <= _SETS | _LOGS | _REGARDLESS
    above = parents[node]
    return isinstance(node, ast.SetComp) or (
        isinstance(above, ast.Call) and source.dotted(above.func) in _REGARDLESS and node in above.args
    )


def _unordered(node: ast.expr, source: Source) -> str:
    if isinstance(node, ast.Name):
        node = _constants(source).get(node.id, node)
    if isinstance(node, ast.Set | ast.SetComp):
        return "a set"
    if isinstance(node, ast.Call):
        if source.dotted(node.func) in ("set", "frozenset"):
            return "a set"
        if source.dotted(node.func) in _FOLDERS:
            return "a folder"
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            return "a folder"
    return ""


def _constants(source: Source) -> dict[str, ast.expr]:
    assignments = (node for node in ast.walk(source.tree) if isinstance(node, ast.Assign))
    return {node.targets[0].id: node.value for node in assignments if isinstance(node.targets[0], ast.Name)}


RULE = Rule(
    "order",
    "Columns come in another order, locks are taken in another order, and every run is another one.",
    "A set of strings is ordered by a hash that is another one in each process; a folder as its disk likes.",
    'for name in ("books", "pages"): ...  # or sorted(...)',
    _check,
)
