"""downgrade: there is one, and it does something or says why not."""

import ast
from collections.abc import Iterator

from alembic_online.review.lint.rule import Found, Revision, Rule
from alembic_online.review.lint.source import does_nothing


def _check(revision: Revision) -> Iterator[Found]:
    functions = revision.source.functions
    if (down := functions.get("downgrade")) is None:
        yield Found("It has no downgrade().")
        return
    statements = [node for node in down.body if not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call)]
    if statements and isinstance(statements[0], ast.Raise):
        yield Found("Its downgrade() raises.", statements[0].lineno)
    upgrade = functions.get("upgrade")
    if upgrade and not does_nothing(upgrade) and does_nothing(down) and not ast.get_docstring(down):
        yield Found("Its downgrade() is empty, and does not say why.", down.lineno)


RULE = Rule(
    "downgrade",
    "Nobody can go back when the deployment goes wrong.",
    "A downgrade is needed when there is no time to write it.",
    "what undoes each operation of upgrade(), last one first; or a docstring: why there is nothing to take back",
    _check,
)
