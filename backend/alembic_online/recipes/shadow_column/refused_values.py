"""Values that the new type refuses, looked for before anything is changed: after an hour's work it says so too.

Known is what a conversion by its text does: PostgreSQL reads the text as a value of the new type.
"""

from collections.abc import Sequence

from alembic_online.postgres.sql.tokens import tokens
from alembic_online.recipes.constraint import obstacle_columns
from alembic_online.recipes.cutover.replaced_type import StandIn, labels_of
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, uncollated
from alembic_online.recipes.precheck import Obstacle
from alembic_online.recipes.shadow_column.column import OldColumn

_TEXTS = ("text", "character varying", "varchar")
_IS_ENUM = """
    SELECT 1 FROM pg_type t JOIN pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END
    WHERE t.oid = to_regtype(:kind) AND e.typtype = 'e'
"""


def refused_values(
    column: OldColumn, kind: str, using: str | None, stand_ins: Sequence[StandIn], database: Database
) -> Obstacle | None:
    """None where only the conversion itself can tell."""
    kind = uncollated(kind)
    before = _before_the_cast(using, kind) if using else column.quoted
    if before is None:
        return None
    if labels := labels_of(kind, stand_ins):  # there is no such type yet
        there = ", ".join(map(literal, labels))
        refused = f"({before})::text NOT IN ({there})"
        if kind.endswith("]"):
            elements = f"unnest(({before})::text[]) AS elements (label)"
            refused = f"EXISTS (SELECT FROM {elements} WHERE label NOT IN ({there}))"
    elif _by_text(before, column) or database.ask(_IS_ENUM, kind=kind):
        refused = f"NOT pg_input_is_valid(({before})::text, {literal(kind)})"
    else:
        return None
    names = obstacle_columns(column.table, database)
    shown = names if column.quoted in names.split(", ") else f"{names}, {column.quoted}"
    return Obstacle(
        what=f"the new type of {column.table}.{column.quoted}",
        found="rows whose value it does not have",
        select=f"SELECT {shown} FROM {column.table} WHERE {column.quoted} IS NOT NULL AND {refused}",
        remedy="Change those rows first, or let USING say what becomes of them; then run the same command again.",
    )


def _before_the_cast(using: str, kind: str) -> str | None:
    """What the last `::kind` of an expression is the cast of."""
    found, depth = list(tokens(using)), 0
    for token in reversed(found):
        depth += {")": 1, "]": 1, "(": -1, "[": -1}.get(token.text, 0)
        if depth == 0 and token.text == "::":
            return using[: token.start].strip() if using[token.start + 2 :].strip() == kind else None
    return None


def _by_text(before: str, column: OldColumn) -> bool:
    cast = before.rpartition("::")[2].strip().lower().removesuffix("[]") if "::" in before else ""
    return cast in _TEXTS or (before.strip() == column.quoted and column.type.partition("(")[0] in _TEXTS)
