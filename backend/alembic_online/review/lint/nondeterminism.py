"""Calls whose answer is another one each time: in Python anywhere, in SQL where rows are written."""

from collections.abc import Iterable, Iterator

from alembic_online.review.lint.rule import Found
from alembic_online.review.lint.source import Source
from alembic_online.review.lint.temporary_defaults import passing_defaults
from alembic_online.review.lint.value_flow import ValueFlow

_WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "WITH")


def python_calls(source: Source, names: Iterable[str]) -> Iterator[Found]:
    """Calls of these names whose value may be written; a name that ends with a dot is a module."""
    wanted = tuple(names)
    found = [
        (name, call)
        for name, call in source.calls()
        if any(name == each or (each.endswith(".") and name.startswith(each)) for each in wanted)
    ]
    flow = ValueFlow(source) if found else None
    for name, call in found:
        if flow and not flow.is_idle(call):
            yield Found(f"It calls {name}().", call.lineno)


def sql_calls(source: Source, words: frozenset[str]) -> Iterator[Found]:
    """Statements that write rows with the help of one of these words."""
    for sql in source.sql:
        for reader in sql.statements():
            if reader.accept_any(*_WRITES) and (found := sorted({token.keyword for token in reader.rest()} & words)):
                yield Found(f"{found[0].lower()} in: {' '.join(sql.text.split())[:80]}", sql.line)


def passing_calls(source: Source, words: frozenset[str]) -> Iterator[Found]:
    """New columns that rows get one of these words in, by a default that is taken away again."""
    for each in passing_defaults(source):
        if found := sorted(each.words & words):
            yield Found(f"{found[0].lower()} is what the rows get in {each.column}.", each.line)
