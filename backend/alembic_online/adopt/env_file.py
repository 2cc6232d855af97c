"""The one line of an env.py that changes, found by its syntax tree and replaced where it stands: all else stays."""

import ast
import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_IMPORT = "from alembic_online import online"
_DECLARES = "from alembic_online.postgres.declared import LeaveAlone, declare"
_DOORS = ("online", "run_environment")
BY_HAND = f"""\
{_IMPORT}
...
    with online(context):  # in the place of: with context.begin_transaction():
        context.run_migrations()"""
"""What is to be written where the toolkit finds no place for it."""


@dataclass(frozen=True)
class Edit:
    """Bytes of one line that others take the place of; of `start` to `start` none."""

    line: int
    start: int
    end: int
    text: str


def is_adopted(source: str) -> bool:
    """Whether it calls `online` or `run_environment` already."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any(isinstance(each, ast.Name) and each.id in _DOORS for each in calls)


def with_online(source: str) -> str | None:
    """With `online(context)` in the place of each `context.begin_transaction()` around `run_migrations()`.

    None where there is no such line, or where the name `online` is taken. Raises `SyntaxError`.
    """
    tree = ast.parse(source)
    names = set(_names_of_context(tree))
    edits = [edit for node in ast.walk(tree) if isinstance(node, ast.With) for edit in _edits(node, names)]
    taken = any(isinstance(node, ast.Name | ast.arg) and _name(node) == "online" for node in ast.walk(tree))
    return _edited(source, [*edits, _imported(tree, _IMPORT)]) if edits and not taken else None


def with_left_alone(source: str, patterns: Sequence[str]) -> str | None:
    """With a line after `target_metadata = ...` that leaves these tables alone; None where there is no such line."""
    tree = ast.parse(source)
    models = next(_models(tree), None)
    assigned = [
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and any(_name(target) == models for target in node.targets)
    ]
    if models is None or not assigned or not isinstance(assigned[-1].value, ast.Name | ast.Attribute):
        return None
    said = ", ".join(f'LeaveAlone("{pattern}")' for pattern in patterns)
    after = assigned[-1].end_lineno or assigned[-1].lineno
    return _edited(source, [Edit(after + 1, 0, 0, f"declare({models}, {said})\n"), _imported(tree, _DECLARES)])


def diff(before: str, after: str, name: str) -> str:
    """The lines that differ, as `diff -u` has them; empty for none."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", n=2, lineterm="")
    return "\n".join(lines)


def _names_of_context(tree: ast.Module) -> Iterator[str]:
    """How this file calls `alembic.context`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "alembic":
            yield from (each.asname or each.name for each in node.names if each.name == "context")
        elif isinstance(node, ast.Import):
            yield from (each.asname or each.name for each in node.names if each.name == "alembic.context")
            if any(each.name == "alembic" and not each.asname for each in node.names):
                yield "alembic.context"


def _edits(node: ast.With, names: set[str]) -> Iterator[Edit]:
    runs = any(isinstance(each, ast.Attribute) and each.attr == "run_migrations" for each in ast.walk(node))
    for item in node.items:
        call = item.context_expr
        begins = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and not call.args
        if not (runs and begins) or item.optional_vars is not None or call.lineno != call.end_lineno:
            continue
        assert isinstance(call, ast.Call)
        assert isinstance(call.func, ast.Attribute)
        context = ast.unparse(call.func.value)
        if call.func.attr == "begin_transaction" and context in names and not call.keywords:
            yield Edit(call.lineno, call.col_offset, call.end_col_offset or 0, f"online({context})")


def _imported(tree: ast.Module, line: str) -> Edit:
    """After the import of Alembic's context, or after all that must come first."""
    place = 1
    for node in tree.body:
        first = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        alembic = isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in (
            "alembic",
            "__future__",
        )
        if alembic or (first and place == 1) or (isinstance(node, ast.Import) and "alembic" in ast.unparse(node)):
            place = (node.end_lineno or node.lineno) + 1
    return Edit(place, 0, 0, f"{line}\n")


def _models(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (_name(each.value) for each in node.keywords if each.arg == "target_metadata")
            if _name(node.func) == "run_environment" and node.args:
                yield _name(node.args[0])


def _name(node: ast.AST) -> str:
    return getattr(node, "id", getattr(node, "arg", "")) or ""


def _edited(source: str, edits: Iterable[Edit]) -> str:
    """From the last to the first, so that none moves another. Positions of a syntax tree are in bytes of UTF-8."""
    lines = source.encode().splitlines(keepends=True)
    end = b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"
    for edit in sorted(edits, key=lambda each: (each.line, each.start), reverse=True):
        text = edit.text.encode().replace(b"\n", end)
        if edit.line > len(lines):
            lines.append(text)
            continue
        line = lines[edit.line - 1]
        lines[edit.line - 1] = line[: edit.start] + text + line[edit.end :]
    return b"".join(lines).decode()
