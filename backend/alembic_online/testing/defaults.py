"""Defaults that the models' Python computes: one for each row, and not one for all rows or one a process.

`default=datetime.now()` is the moment of the import, `default=uuid4()` one id for all rows of a process, `default=[]`
one list that all rows share; what is meant is the function: `default=datetime.now`. The first two are told by reading
the models a second time, in a process of their own.
"""

from collections.abc import Iterator

from sqlalchemy import Column, MetaData, TextClause
from sqlalchemy.sql.schema import DefaultClause

from alembic_online.revisions.project import Project
from alembic_online.testing.finding import Finding
from alembic_online.testing.other_process import OtherProcess, ProcessFailed

_SHARED = (list, dict, set, bytearray)


def unstable_defaults(project: Project) -> Iterator[Finding]:
    """Values that another process computes otherwise, and values that can be changed in place."""
    for column, value in _python_values(project.metadata):
        if isinstance(value, _SHARED):
            words = f"{column} has the default {value!r}, one {type(value).__name__} for all rows: give a function"
            yield Finding("defaults", "", words)
    if not (here := constants(project)):
        return
    try:
        with OtherProcess(project, seed=3) as other:
            there = other.ask(constants)
    except ProcessFailed as error:
        yield Finding("defaults", "", f"the models cannot be read in a process of their own: {error}")
        return
    for name, value in here.items():
        if there.get(name, value) != value:
            words = f"the {name} is {value} in one process and {there[name]} in another: give a function"
            yield Finding("defaults", "", words)


def constants(project: Project) -> dict[str, str]:
    """The values of all defaults that are no function and no SQL, and the texts of server defaults, by their place."""
    found = {f"default of {column}": repr(value) for column, value in _python_values(project.metadata)}
    for column in _columns(project.metadata):
        if isinstance(column.server_default, DefaultClause):
            arg = column.server_default.arg
            text = arg.text if isinstance(arg, TextClause) else arg
            found |= {f"server default of {_name(column)}": text} if isinstance(text, str) else {}
    return {name: value for name, value in found.items() if " at 0x" not in value}  # an address tells nothing


def _python_values(metadata: MetaData) -> Iterator[tuple[str, object]]:
    for column in _columns(metadata):
        for default in (column.default, column.onupdate):
            if default is not None and default.is_scalar:
                yield _name(column), default.arg  # type: ignore[attr-defined]  # a scalar has one


def _columns(metadata: MetaData) -> Iterator[Column[object]]:
    for table in metadata.sorted_tables:
        yield from table.columns


def _name(column: Column[object]) -> str:
    return f"{column.table.fullname}.{column.name}"
