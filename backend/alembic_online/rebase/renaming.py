"""The text of a revision file under another id, by its syntax tree."""

import re
from collections.abc import Mapping

import libcst as cst


def rename(source: str, new: str, parent: str | None, names: Mapping[str, str]) -> str:
    """`source` with its id and parent, in its assignments and its docstring."""
    return cst.parse_module(source).visit(_Renaming(new, parent, names)).code


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
