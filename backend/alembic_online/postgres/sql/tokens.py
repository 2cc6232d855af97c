"""SQL as tokens: enough of PostgreSQL's lexer (18, section 4.1) to tell names, literals and comments apart.

It never fails: the server shows long queries cut off, so what is not closed ends with the text.
"""

import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple


class Kind(Enum):
    """What a token is. A comment is white space to the parser, but may hold a user's values."""

    WORD = auto()
    QUOTED_NAME = auto()
    STRING = auto()
    NUMBER = auto()
    PARAMETER = auto()
    SYMBOL = auto()
    COMMENT = auto()


class Token(NamedTuple):
    """A token, its text as written, and where that begins."""

    kind: Kind
    text: str
    start: int

    @property
    def keyword(self) -> str:
        """The word in capitals; "" for what is no bare word, so that the name "table" is no keyword."""
        return self.text.upper() if self.kind is Kind.WORD else ""


_UNTIL_QUOTE = r"(?:[^']|'')*(?:'|\Z)"
_TOKEN = re.compile(
    rf"""
      (?P<COMMENT> --[^\r\n]* | /\* )
    | (?P<STRING> [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z|\\\Z) | (?:[bBxXnN]|[uU]&)?'{_UNTIL_QUOTE}
        | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z) )
    | (?P<QUOTED_NAME> (?:[uU]&)?"(?:[^"]|"")*(?:"|\Z) )
    | (?P<PARAMETER> \$\d+ )
    | (?P<WORD> [^\W\d][\w$]* )
    | (?P<NUMBER> 0[xXoObB][\da-fA-F_]+ | (?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)? )
    | (?P<SYMBOL> :: | \S )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def tokens(sql: str) -> Iterator[Token]:
    """The tokens of `sql` in order, comments included."""
    position = 0
    while found := _TOKEN.search(sql, position):
        kind = Kind[found.lastgroup or "SYMBOL"]
        position = _comment_end(sql, found.end()) if found[0] == "/*" else found.end()
        yield Token(kind, sql[found.start() : position], found.start())


def text_of(found: Sequence[Token], sql: str) -> str:
    """What stands in `sql` from the first of these of its tokens to the last; "" for none."""
    return sql[found[0].start : found[-1].start + len(found[-1].text)] if found else ""


def called(found: Sequence[Token]) -> Iterator[str]:
    """The names before a parenthesis, but for those of types to which something is cast; words such as IN, too."""
    for at, token in enumerate(found[:-1]):
        is_cast = at > 0 and (found[at - 1].text == "::" or found[at - 1].keyword == "AS")
        if token.kind in (Kind.WORD, Kind.QUOTED_NAME) and found[at + 1].text == "(" and not is_cast:
            yield token.text


def _comment_end(sql: str, position: int) -> int:
    """Where the comment ends that was opened before `position`: in PostgreSQL comments nest."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)
