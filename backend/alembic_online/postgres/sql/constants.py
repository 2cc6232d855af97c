"""Which expression is the same value at any time."""

import re

from alembic_online.postgres.sql.tokens import Kind, tokens

_SYMBOLS = frozenset({"(", ")", "[", "]", ",", ".", "::", ":", "-", "+"})
_WORDS = frozenset({"TRUE", "FALSE", "NULL", "ARRAY", "WITH", "WITHOUT", "TIME", "ZONE"})
_TIMES = re.compile(r"\b(now|today|tomorrow|yesterday)\b", re.IGNORECASE)


def is_constant(expression: str) -> bool:
    """Whether it calls nothing: literals, signs, casts, arrays, as PostgreSQL prints them."""
    in_type = False
    for token in tokens(expression):
        if token.kind in (Kind.WORD, Kind.QUOTED_NAME):
            if not in_type and token.keyword not in _WORDS:
                return False
            continue
        if token.kind is Kind.STRING and _TIMES.search(token.text):
            return False
        if token.kind is Kind.SYMBOL and token.text not in _SYMBOLS:
            return False
        if token.kind not in (Kind.STRING, Kind.NUMBER, Kind.SYMBOL):
            return False
        in_type = token.text == "::" or (in_type and token.text == ".")
    return True
