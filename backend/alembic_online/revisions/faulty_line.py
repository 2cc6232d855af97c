"""What a line of a revision asks for and cannot have: raised where it is found out, said with file and line later."""

import json
from typing import Any

from sqlalchemy import JSON, BindParameter, Dialect, String
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine


class FaultyLine(InvalidRequestError):
    """`problem` ends the sentence that begins with the place; `remedy` is the next step."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


def no_value(parameter: str) -> FaultyLine:
    """For `:parameter` in a text: SQLAlchemy takes a colon with a word behind it for one, inside of quotes too."""
    return FaultyLine(
        f"has a parameter without a value, :{parameter}",
        f"Give it one: sa.text(...).bindparams({parameter}=...). Where the colon is meant as it stands,\n"
        f"write a backslash before it, and an r before the string: r'\\:{parameter}'",
    )


class _Checked(SQLCompiler):
    """Stands before a dialect's own compiler."""

    def render_literal_bindparam(self, bindparam: BindParameter[Any], *arguments: Any, **options: Any) -> str:
        """The value as SQL. Raises `FaultyLine` where SQLAlchemy would write NULL for want of one."""
        empty = bindparam.required and bindparam.value is None and bindparam.callable is None
        given = (
            arguments or "render_literal_value" in options or bindparam.key in getattr(self, "_collected_params", ())
        )
        if empty and not given:
            raise no_value(bindparam.key)
        return str(super().render_literal_bindparam(bindparam, *arguments, **options))  # type: ignore[no-untyped-call]

    def render_literal_value(self, value: Any, type_: TypeEngine[Any]) -> str:
        """A value as SQL; SQLAlchemy knows none for JSON."""
        if isinstance(type_, JSON) and value is not None:
            return str(super().render_literal_value(json.dumps(value, ensure_ascii=False), String()))
        return str(super().render_literal_value(value, type_))


def refuse_what_has_no_value(dialect: Dialect) -> None:
    """From now on no statement of `dialect`, a CHECK's text among them, says NULL where a value is missing."""
    if not issubclass(dialect.statement_compiler, _Checked):
        dialect.statement_compiler = type("CheckedCompiler", (_Checked, dialect.statement_compiler), {})
