"""A definition as PostgreSQL prints it, taken apart: its words, what stands in parentheses, lists and names.

Only the outermost level is looked at; an expression stays the text that it is.
"""

from collections.abc import Iterator

from alembic_online.postgres.sql.tokens import Kind, tokens


def clauses(definition: str) -> list[str]:
    """`FOREIGN`, `KEY`, `(a, b)`, `REFERENCES`, `public.t`, `(x, y)`: words, qualified names, and groups whole."""
    return [definition[start:end] for start, end in _spans(definition)]


def items(group: str) -> list[str]:
    """What stands between the commas of `(a, lower(b))`."""
    inside = group[1:-1]
    commas = [token.start for token in tokens(inside) if token.text == "," and token.kind is Kind.SYMBOL]
    groups = [(start, end) for start, end in _spans(inside) if inside[start] == "("]
    edges = [comma for comma in commas if not any(start < comma < end for start, end in groups)]
    return [inside[a:b].strip() for a, b in zip([0, *(edge + 1 for edge in edges)], [*edges, len(inside)], strict=True)]


def unwrapped(expression: str) -> str:
    """An expression without the parentheses around the whole of it: `(a > 0)` is `a > 0`."""
    while len(clauses(expression)) == 1 and expression.startswith("("):
        expression = expression[1:-1].strip()
    return expression


def wrapped(expression: str) -> str:
    """An expression in parentheses, once."""
    return expression if len(clauses(expression)) == 1 and expression.startswith("(") else f"({expression})"


def is_name(text: str) -> bool:
    """Whether it is a name and nothing else: `title`, `"Odd name"`."""
    found = [token.kind for token in tokens(text)]
    return found in ([Kind.WORD], [Kind.QUOTED_NAME])


def name(text: str) -> str:
    """The name that this SQL says: `"Odd ""name"` is `Odd "name`."""
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def names(group: str) -> list[str]:
    """The names in `(a, "B")`."""
    return [name(item) for item in items(group)]


def qualified_name(text: str) -> tuple[str, str]:
    """The schema and the name of `public."Odd name"`; the schema is empty if none is said."""
    parts = [name(token.text) for token in tokens(text) if token.kind in (Kind.WORD, Kind.QUOTED_NAME)]
    return ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def after(word: str, definition: str) -> str | None:
    """What follows the clause that is this word, up to the end; None if there is no such clause."""
    ends = (end for start, end in _spans(definition) if definition[start:end] == word)
    end = next(ends, None)
    return None if end is None else definition[end:].strip()


def _spans(definition: str) -> Iterator[tuple[int, int]]:
    """Where each clause begins and ends. What touches is one clause, but for a group."""
    depth, start, end = 0, 0, -1
    for token in tokens(definition):
        opens, closes = token.text in "([", token.text in ")]"
        touches = end == token.start and definition[start] != "(" and token.text != "("
        if depth == 0 and not touches:
            if end >= 0:
                yield start, end
            start = token.start
        depth += opens - closes
        end = token.start + len(token.text)
    if end >= 0:
        yield start, end
