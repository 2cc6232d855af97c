"""order: what is done first depends on the order of a set, a folder, or the rows."""

import ast
from collections.abc import Iterator

from src.safety.lint.impure import python_calls
from src.safety.lint.rule import Found, Revision, Rule
from src.safety.lint.source import Source

_PYTHON = ("os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob", "vars", "globals", "locals", "dir")
_METHODS = frozenset({"iterdir", "glob", "rglob"})


def _check(revision: Revision) -> Iterator[Found]:
    yield from python_calls(revision.source, _PYTHON)
    for node in ast.walk(revision.source.tree):
        if isinstance(node, ast.For | ast.comprehension) and (what := _unordered(node.iter, revision.source)):
            yield Found(f"It goes through {what} in no certain order.", node.iter.lineno)


def _unordered(node: ast.expr, source: Source) -> str:
    if isinstance(node, ast.Name):
        node = _constants(source).get(node.id, node)
    if isinstance(node, ast.Set | ast.SetComp):
        return "a set"
    if isinstance(node, ast.Call):
        if source.dotted(node.func) in ("set", "frozenset"):
            return "a set"
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
