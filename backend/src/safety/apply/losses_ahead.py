"""What a downgrade will destroy, read from the revision files before the first of them is undone.

Only what is written out is seen, such as `op.drop_table("books")`: no name that a revision computes, nothing that it
does under a condition. What is not seen here is counted when its statement comes.
"""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import Connection

from src.safety.apply.consent import Consent
from src.safety.apply.data_loss import Loss, losses, refuse
from src.safety.online.names import qualified, quoted


def ask_ahead(connection: Connection, steps: Sequence[Any], consent: Consent) -> None:
    """May the data of all the downgrades go, as far as that can be told before the first? Raises `DataLoss`."""
    lost: dict[str, list[Loss]] = {}
    for step in steps:
        if isinstance(step, RevisionStep) and step.is_downgrade and not consent.given(step.revision.revision):
            lost[step.revision.revision] = losses_ahead(connection, step.revision)
    connection.commit()  # nobody waits for a person's answer
    missing = {revision: found for revision, found in lost.items() if found}
    if not all(consent.ask(found, revision) for revision, found in missing.items()):
        raise refuse(missing, consent.allowed, done="nothing was changed yet")


def losses_ahead(connection: Connection, script: Script) -> list[Loss]:
    """What the downgrade of this revision would destroy in the database as it is now."""
    tree = ast.parse(Path(script.path).read_text(encoding="utf-8"))
    downgrade = next(
        (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "downgrade"), None
    )
    statements = (_statement(call) for call in _calls(downgrade.body if downgrade else ()))
    return [loss for statement in statements if statement for loss in losses(connection, statement)]


def _calls(body: Sequence[ast.stmt]) -> Iterator[ast.Call]:
    for node in body:
        if isinstance(node, ast.With):
            yield from _calls(node.body)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node.value


def _statement(call: ast.Call) -> str:
    """The SQL of an operation that drops something; "" for any other."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    given = [_text(each) for each in call.args]
    schema = next((_text(each.value) for each in call.keywords if each.arg == "schema"), "")
    match name, given:
        case "drop_table", [str(table), *_] if table:
            return f"DROP TABLE {qualified(table, schema)}"
        case "drop_column", [str(table), str(column), *_] if table and column:
            return f"ALTER TABLE {qualified(table, schema)} DROP COLUMN {quoted(column)}"
        case "execute", [str(sql), *_]:
            return sql
    return ""


def _text(node: ast.expr) -> str:
    """A string that is written out, also inside of `text(...)`."""
    if isinstance(node, ast.Call) and len(node.args) == 1:
        node = node.args[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
