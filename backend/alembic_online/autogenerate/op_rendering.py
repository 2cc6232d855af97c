"""One line of a revision: a call of an Alembic operation, as it will stand in the file.

Differences are written down as calls, and not as the operations' own objects, because what is written is what counts:
the text that goes into the file is the text that is tried on a scratch database.
"""

import re
from collections.abc import Iterable
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation

from alembic_online.autogenerate.search_path_names import shortened

_DEDENT = frozenset({"from textwrap import dedent"})
_DIALECT = frozenset({"from sqlalchemy.dialects import postgresql"})
# What sqlalchemy.text() would take for a parameter, and for one that is escaped (SQLAlchemy 2.1, sql/compiler.py).
_PARAMETER = re.compile(r"(?<![:\w\\]):[\w$]+(?![:\w$])")
_ESCAPED = re.compile(r"\\:[\w$]*(?![:\w$])")


class Code(str):
    """Python code, written as it is, with the imports that it needs; any other value is written as its `repr`."""

    imports: frozenset[str]

    def __new__(cls, written: str, imports: frozenset[str] = frozenset()) -> "Code":
        self = super().__new__(cls, written)
        self.imports = imports | _DIALECT if written.startswith("postgresql.") else imports
        return self


class Call(MigrateOperation):
    """`op.<name>(*arguments, **options)`; options that are None are left out."""

    def __init__(self, name: str, *arguments: Any, imports: frozenset[str] = frozenset(), **options: Any) -> None:
        self.name, self.arguments = name, arguments
        self.options = {key: value for key, value in options.items() if value is not None}
        self.imports = imports | _imports([*arguments, *self.options.values()])

    def __str__(self) -> str:
        return f"op.{self.name}({', '.join(_parts(self.arguments, self.options))})"

    def reverse(self) -> MigrateOperation:
        """The downgrade is planned from the two schemas, as the upgrade is: a line alone does not know its reverse."""
        raise NotImplementedError(f"{self} is undone by planning the way back")

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return (self.name, *self.arguments)


class Statement(Call):
    """`op.execute(...)` of one statement."""

    def __init__(self, statement: str) -> None:
        super().__init__("execute", _literal(_escaped(statement)))
        self.statement = statement
        """As PostgreSQL reads it."""


class Comment(MigrateOperation):
    """A remark for whoever reads the file."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return f"# {self.text}"

    def reverse(self) -> MigrateOperation:
        return self


class Nothing(MigrateOperation):
    """What a function needs that has remarks alone."""

    def __str__(self) -> str:
        return "pass"

    def reverse(self) -> MigrateOperation:
        return self


def code(function: str, *arguments: Any, **options: Any) -> Code:
    """`function(*arguments, **options)` as an argument of a call."""
    given = {key: value for key, value in options.items() if value is not None}
    return Code(f"{function}({', '.join(_parts(arguments, given))})", _imports([*arguments, *given.values()]))


def named(name: str) -> Code:
    """`op.f(...)`: the name as it is, to which no naming convention adds anything."""
    return code("op.f", name)


def sql(statement: str) -> Statement:
    """`op.execute(...)` of one statement, which means what it says: a colon in it begins no parameter."""
    return Statement(shortened(statement))


def text(expression: str) -> Code:
    """`sa.text(...)` of an expression as PostgreSQL prints it."""
    return code("sa.text", _literal(_escaped(shortened(expression))))


def _escaped(statement: str) -> str:
    """What `sqlalchemy.text()` reads as `statement`."""
    return _PARAMETER.sub(r"\\\g<0>", _ESCAPED.sub(r"\\\g<0>", statement))


def _imports(values: Iterable[Any]) -> frozenset[str]:
    """What the pieces of code among these values import, at any depth."""
    found: frozenset[str] = frozenset()
    for value in values:
        if isinstance(value, Code):
            found |= value.imports
        elif isinstance(value, list | dict):
            found |= _imports(value.values() if isinstance(value, dict) else value)
    return found


def _literal(value: str) -> Code | str:
    """A text of several lines stands between triple quotes, so that it reads as it was written.

    Alembic indents what it writes, strings too, and takes spaces from the ends of their lines: `dedent` undoes the
    former, and a text that has such spaces is written line by line.
    """
    lines = value.split("\n")
    if len(lines) == 1:
        return value
    if '"""' in value or value.endswith('"') or any(line != line.rstrip() for line in lines):
        return Code("\n".join(map(repr, value.splitlines(keepends=True))))
    escaped = value.replace("\\", "\\\\")
    return Code(f'dedent("""\\\n{escaped}""")', _DEDENT)


def _parts(arguments: tuple[Any, ...], options: dict[str, Any]) -> list[str]:
    return [_written(value) for value in arguments] + [f"{key}={_written(value)}" for key, value in options.items()]


def _written(value: Any) -> str:
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_written(item)}' for key, item in value.items())}}}"
    return repr(value)


@renderers.dispatch_for(Call)
def _render_call(autogen_context: AutogenContext, call: Call) -> str:
    autogen_context.imports.update(call.imports)
    return str(call)


@renderers.dispatch_for(Comment)
@renderers.dispatch_for(Nothing)
def _render_plainly(_: AutogenContext, line: Comment | Nothing) -> str:
    return str(line)
