"""Defaults that are there only while a column is added: the rows keep what they said at that moment."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.review.lint.source import Source


@dataclass(frozen=True)
class PassingDefault:
    """One of them."""

    column: str
    words: frozenset[str]
    """Of its expression, in capitals."""
    line: int


def passing_defaults(source: Source) -> Iterator[PassingDefault]:
    """The defaults of new columns that the same function takes away again, by operations or by SQL."""
    for function in source.functions.values():
        added, dropped = [*_added(source, function)], {*_dropped(source, function)}
        yield from (each for each in added if each.column in dropped)


def _added(source: Source, function: ast.FunctionDef) -> Iterator[PassingDefault]:
    for call in _calls(function, "Column"):
        name = next(iter(_strings(call)), "")
        for keyword in call.keywords:
            if keyword.arg == "server_default" and not isinstance(
                keyword.value, ast.Constant
            ):  # that is the value itself
                yield PassingDefault(name, frozenset(_words(keyword.value)), call.lineno)
    for part, line in _actions(source, function):
        if part.skip_to("ADD COLUMN", "ADD"):
            part.accept("IF NOT EXISTS")
            name = part.name()
            if part.skip_to("DEFAULT"):
                yield PassingDefault(name, frozenset(token.keyword for token in part.rest()), line)


def _dropped(source: Source, function: ast.FunctionDef) -> Iterator[str]:
    for call in _calls(function, "alter_column"):
        if any(each.arg == "server_default" and _is_none(each.value) for each in call.keywords):
            yield from _strings(call)  # the column is among them, with its table or without
    for part, _ in _actions(source, function):
        if part.skip_to("ALTER COLUMN", "ALTER"):
            name = part.name()
            if part.accept("DROP DEFAULT"):
                yield name


def _calls(function: ast.FunctionDef, name: str) -> Iterator[ast.Call]:
    """Of what is called so, on whatever it is called."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == name:
                yield node


def _actions(source: Source, function: ast.FunctionDef) -> Iterator[tuple[Reader, int]]:
    """A reader for each action of each ALTER TABLE."""
    for sql in source.sql:
        if function.lineno <= sql.line <= (function.end_lineno or sql.line):
            for reader in sql.statements():
                if reader.accept("ALTER TABLE"):
                    yield from ((part, sql.line) for part in reader.split())


def _strings(call: ast.Call) -> Iterator[str]:
    yield from (str(each.value) for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str))


def _words(node: ast.expr) -> Iterator[str]:
    """`sa.text("now()")` and `sa.func.now()` both say NOW."""
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute):
            yield each.attr.upper()
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield from (token.keyword for reader in statements(each.value) for token in reader.rest())


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
