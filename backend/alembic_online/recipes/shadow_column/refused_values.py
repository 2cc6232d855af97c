"""Values that the new type refuses, looked for before anything is changed: after an hour's work it says so too.

Known is what a conversion by its text does: PostgreSQL reads the text as a value of the new type.
"""

from collections.abc import Sequence

from alembic_online.postgres.sql.tokens import tokens
from alembic_online.recipes.constraint import obstacle_columns
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, uncollated
from alembic_online.recipes.precheck import Obstacle

_TEXTS = ("text", "character varying", "varchar")
_INTEGERS = ("smallint", "integer", "bigint")
# By assignment, from the type of the key.
_NEVER_REFUSED = {
    "smallint": {"integer", "bigint", "numeric", "real", "double precision"},
    "integer": {"bigint", "numeric", "double precision"},
    "bigint": {"numeric", "double precision"},
    "real": {"double precision"},
}
_IS_ENUM = """
    SELECT 1 FROM pg_type t JOIN pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END
    WHERE t.oid = to_regtype(:kind) AND e.typtype = 'e'
"""


def refused_values(
    table: str, column: str, old: str, kind: str, using: str | None, labels: Sequence[str], database: Database
) -> Obstacle | None:
    """Of a column, as SQL writes it, of the type `old`; None where only the conversion itself can tell.

    `labels` are those of an enum that is still to be made, or of that which such a domain or array is made of.
    """
    kind = uncollated(kind)
    before = _before_the_cast(using, kind) if using else column
    if before is None:
        return None
    if labels:
        there = ", ".join(map(literal, labels))
        refused = f"({before})::text NOT IN ({there})"
        if kind.endswith("]"):
            elements = f"unnest(({before})::text[]) AS elements (label)"
            refused = f"EXISTS (SELECT FROM {elements} WHERE label NOT IN ({there}))"
    elif _by_text(before, column, old, kind) or database.ask(_IS_ENUM, kind=kind):
        refused = f"NOT pg_input_is_valid(({before})::text, {literal(kind)})"
    else:
        return None
    names = obstacle_columns(table, database)
    shown = names if column in names.split(", ") else f"{names}, {column}"
    return Obstacle(
        what=f"the new type of {table}.{column}",
        found="rows whose value it does not have",
        select=f"SELECT {shown} FROM {table} WHERE {column} IS NOT NULL AND {refused}",
        remedy="Change those rows first, or let USING say what becomes of them; then run the same command again.",
    )


def may_refuse(old: str, kind: str, using: str | None) -> bool:
    """Whether a value of the type `old` may have none of the other type."""
    plain = uncollated(kind).lower()
    return bool(using) or plain not in {*_TEXTS[:1], "varchar", "character varying", *_NEVER_REFUSED.get(old, ())}


def _before_the_cast(using: str, kind: str) -> str | None:
    """What the last `::kind` of an expression is the cast of."""
    found, depth = list(tokens(using)), 0
    for token in reversed(found):
        depth += {")": 1, "]": 1, "(": -1, "[": -1}.get(token.text, 0)
        if depth == 0 and token.text == "::":
            return using[: token.start].strip() if using[token.start + 2 :].strip() == kind else None
    return None


def _by_text(before: str, column: str, old: str, kind: str) -> bool:
    if "::" in before:
        return before.rpartition("::")[2].strip().lower().removesuffix("[]") in _TEXTS
    whole = old in _INTEGERS and kind.lower() in _INTEGERS
    return before.strip() == column and (whole or old.partition("(")[0] in _TEXTS)
