"""leftover: words that pass over what should not be there."""

import ast
import re
from collections.abc import Iterator

from alembic_online.postgres.locks.reader import Reader
from alembic_online.review.lint.rule import Found, Revision, Rule

_ARGUMENTS = frozenset({"checkfirst", "if_not_exists", "if_exists"})

_AGAIN = ("CONCURRENTLY", "ADD VALUE")
"""Not rolled back with a revision that fails, so whoever runs it again meets what is there already."""
_ONE_OF_ITS_NAME = ("CREATE EXTENSION", "DROP EXTENSION")
"""There is no other one of that name, and an administrator may have made it."""


def _check(revision: Revision) -> Iterator[Found]:
    for sql in revision.source.sql:
        for reader in sql.statements():
            if words := _words(reader):
                yield Found(f"{words} in: {' '.join(sql.text.split())[:80]}", sql.line)
    for name, call in revision.source.calls():
        again = any(each.arg == "postgresql_concurrently" for each in call.keywords)
        for argument in () if again else call.keywords:
            if argument.arg in _ARGUMENTS and isinstance(argument.value, ast.Constant) and argument.value.value is True:
                yield Found(f"{argument.arg}=True in {name}().", call.lineno)
    yield from _replacing(revision)


def _words(reader: Reader) -> str:
    """Where a name follows: `IF EXISTS (` is a condition."""
    text = f" {' '.join(token.keyword or token.text for token in reader.rest())} "
    if any(f" {each} " in text for each in _AGAIN) or reader.accept_any(*_ONE_OF_ITS_NAME):
        return ""
    return next((found for found in ("IF NOT EXISTS", "IF EXISTS") if re.search(rf" {found} [^( ]", text)), "")


def _replacing(revision: Revision) -> Iterator[Found]:
    """CREATE OR REPLACE of what was not there; it is right for what was."""
    differences = revision.trial.differences if revision.trial else ()
    added = {each.identity.name.partition("(")[0] for each in differences if each.change == "added"}
    for sql in revision.source.sql:
        for reader in sql.statements():
            if reader.accept("CREATE OR REPLACE"):
                reader.skip_to("FUNCTION", "PROCEDURE", "VIEW", "TRIGGER", "AGGREGATE", "RULE")
                name = "".join(reader.parts()[-1:])
                if name in added:
                    yield Found(f"CREATE OR REPLACE of {name}, which is new.", sql.line)


RULE = Rule(
    "leftover",
    "A thing of that name that is another one is taken for the right one, and databases differ from then on.",
    "What an earlier try or a bad downgrade left behind is passed over in silence.",
    "the same without IF [NOT] EXISTS, OR REPLACE or checkfirst; lint tries both ways from the schema of the chain",
    _check,
)
