"""Constants: written as SQL, and left out of a query that is shown, for they may be the values of users."""

from collections.abc import Iterator

from alembic_online.postgres.sql.tokens import Kind, Token, tokens

_VALUES = (Kind.STRING, Kind.NUMBER)


def literal(value: str) -> str:
    """A string constant."""
    return "'" + value.replace("'", "''") + "'"


def shorten(query: str, length: int = 80, *, show_literals: bool = False) -> str:
    """`query` on one line of at most `length` characters, each literal as `?`, without its comments.

    Where a backslash before a quote leaves open where a string ends (that depends on a setting of the other session),
    everything from there on is left out.
    """
    text = " ".join((query if show_literals else hide_literals(query)).split())
    return text if len(text) <= length else text[: max(length - 3, 0)].rstrip() + "..."


def hide_literals(query: str) -> str:
    """`query` with `?` for strings, dollar-quoted strings and numbers, and without comments; cut off ones as well."""
    return "".join(_hidden(query))


def _hidden(query: str) -> Iterator[str]:
    end, setting, seen = 0, False, 0
    for token in tokens(query):
        if token.kind is Kind.COMMENT:
            continue
        if seen and token.start > end:
            yield " "
        end, seen = token.start + len(token.text), seen + 1
        if _is_ambiguous(token):
            yield "? ..."
            return
        setting = (setting or (seen == 1 and token.keyword == "SET")) and token.text != ";"
        if setting and (token.text == "=" or token.keyword == "TO"):
            yield f"{token.text} ?"  # SET app.token = abc: the value may be a bare word
            return
        yield "?" if token.kind in _VALUES else token.text


def _is_ambiguous(token: Token) -> bool:
    """With `standard_conforming_strings` off, a backslash hides the quote after it from the lexer."""
    return token.kind is Kind.STRING and token.text[0] not in "$eE" and "\\'" in token.text
