"""New ids for the revisions that move, and their files written anew by the syntax tree."""

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import cache_from_source
from pathlib import Path

import libcst as cst

from src.safety.numbering import NUMBERED, next_revision_id


def new_ids(mine: Sequence[str], others: Iterable[str]) -> dict[str, str]:
    """Old id to new: numbered on from the highest of `others`, in their order. Ids without a number stay."""
    taken = set(others)
    highest = max((int(found[1]) for other in taken if (found := NUMBERED.fullmatch(other))), default=0)
    numbered = {old: found for old in mine if (found := NUMBERED.fullmatch(old))}
    if all(int(found[1]) > highest for found in numbered.values()):
        return {old: old for old in mine}
    names = {old: old for old in mine}
    for old, found in numbered.items():
        names[old] = next_revision_id(found[2], taken)
        taken.add(names[old])
    return names


def renamed(source: str, old: str, parent: str | None, names: Mapping[str, str]) -> str:
    """The text of a revision file with its new id and parent, in its assignments and its docstring."""
    return cst.parse_module(source).visit(_Renaming(names[old], parent, names)).code


def move(path: Path, old: str, new: str, source: str) -> Path:
    """Write the file, under a name that has the new id where it had the old one."""
    there = path.with_name(path.name.replace(old, new, 1)) if path.name.startswith(old) else path
    forget(path)
    there.write_text(source, encoding="utf-8")
    if there != path:
        path.unlink()
    return there


def forget(path: Path) -> None:
    """Python keeps the code of a file that changes within the second and not in its size: so it must forget it."""
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


class _Renaming(cst.CSTTransformer):
    """Changes what the module says of itself, and nothing in its functions."""

    def __init__(self, new: str, parent: str | None, names: Mapping[str, str]) -> None:
        super().__init__()
        self._values = {"revision": new, "down_revision": parent}
        self._parent, self._names = parent, names

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return False

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        value = self._value(updated_node.targets[0].target, updated_node.value)
        return updated_node.with_changes(value=value)

    def leave_AnnAssign(self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign) -> cst.AnnAssign:
        if updated_node.value is None:
            return updated_node
        return updated_node.with_changes(value=self._value(updated_node.target, updated_node.value))

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        if updated_node.get_docstring() is None:
            return updated_node
        line = cst.ensure_type(updated_node.body[0], cst.SimpleStatementLine)
        expression = cst.ensure_type(line.body[0], cst.Expr)
        said = cst.ensure_type(expression.value, cst.SimpleString)
        new = expression.with_changes(value=said.with_changes(value=self._docstring(said.value)))
        return updated_node.with_changes(body=[line.with_changes(body=[new]), *updated_node.body[1:]])

    def _value(self, target: cst.BaseExpression, value: cst.BaseExpression) -> cst.BaseExpression:
        name = target.value if isinstance(target, cst.Name) else ""
        if name in self._values:
            return _literal(self._values[name], value)
        return value.visit(_Strings(self._names)) if name == "depends_on" else value  # type: ignore[return-value]

    def _docstring(self, text: str) -> str:
        text = re.sub(r"(?m)^Revises:.*$", lambda _: f"Revises: {self._parent or ''}".rstrip(), text)
        for old, new in self._names.items():
            text = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new, text)
        return text


class _Strings(cst.CSTTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        value = updated_node.evaluated_value
        new = self._names.get(value) if isinstance(value, str) else None
        return updated_node if new is None else _quoted(new, updated_node.quote[0])


def _literal(value: str | None, before: cst.BaseExpression) -> cst.BaseExpression:
    if value is None:
        return cst.Name("None")
    return _quoted(value, before.quote[0] if isinstance(before, cst.SimpleString) else '"')


def _quoted(value: str, quote: str) -> cst.SimpleString:
    return cst.SimpleString(f"{quote}{value}{quote}")
