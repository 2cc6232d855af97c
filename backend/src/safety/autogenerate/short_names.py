"""Names without the default schema, so that a revision makes the same in whatever schema the search_path names.

PostgreSQL prints names in full where it is asked with an empty search_path, as the catalogue is. They are shortened
where a line is written, token by token, so that no text and no body of a function is touched. A name stays in full
where the short one would mean something else: one of pg_catalog, which is searched first, a keyword, a query of a WITH.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import Connection, text

from src.postgres.tokens import Kind, Token, tokens

_TAKEN = text("""
SELECT relname::text AS name, false AS called FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
UNION SELECT typname::text, false FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
UNION SELECT collname::text, false FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace
UNION SELECT opcname::text, false FROM pg_opclass WHERE opcnamespace = 'pg_catalog'::regnamespace
UNION SELECT cfgname::text, false FROM pg_ts_config WHERE cfgnamespace = 'pg_catalog'::regnamespace
UNION SELECT dictname::text, false FROM pg_ts_dict WHERE dictnamespace = 'pg_catalog'::regnamespace
UNION SELECT word, false FROM pg_get_keywords() WHERE catcode <> 'U'
UNION SELECT proname::text, true FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
""")
_NAMES = (Kind.WORD, Kind.QUOTED_NAME)
_REGISTERED = re.compile(r"reg(class|type|proc|procedure|oper|operator|config|dictionary|collation)", re.IGNORECASE)
_OF_SEQUENCES = ("NEXTVAL", "SETVAL", "PG_GET_SERIAL_SEQUENCE")


@dataclass(frozen=True)
class ShortNames:
    """The schema that needs not be named, and the names that mean something else without it."""

    schema: str
    taken: frozenset[str]
    called: frozenset[str]
    """Those that are functions."""

    @classmethod
    def of(cls, connection: Connection, schema: str) -> "ShortNames":
        """In the database of `connection`."""
        rows = connection.execute(_TAKEN).all()
        called, taken = (frozenset(row.name for row in rows if row.called is kind) for kind in (True, False))
        return cls(schema, taken, called)

    def shorten(self, sql: str) -> str:
        """`sql` without the schema."""
        if self.schema not in sql:
            return sql
        found = list(tokens(sql))
        queries = frozenset[str]()
        written, end = [], 0
        for place, token in enumerate(found):
            if token.keyword == "WITH":
                queries = queries or _bare_names(found)
            elif token.kind is Kind.STRING and _is_name(found, place):
                written += [sql[end : token.start], f"'{self.shorten(token.text[1:-1])}'"]
                end = token.start + len(token.text)
            elif self._is_needless(found, place, queries):
                written.append(sql[end : token.start])
                end = found[place + 2].start
        return "".join([*written, sql[end:]])

    def _is_needless(self, found: Sequence[Token], place: int, queries: frozenset[str]) -> bool:
        """Whether this is the schema before a name that says enough."""
        before, token, dot, named, after = (_at(found, place + number) for number in range(-1, 4))
        if token.kind not in _NAMES or _name(token) != self.schema or dot.text != "." or before.text == ".":
            return False
        is_called = after.text == "(" or before.text == "="
        taken = self.taken | queries | (self.called if is_called else frozenset())
        return named.kind not in _NAMES or _name(named) not in taken


_CURRENT: ContextVar[ShortNames | None] = ContextVar("short_names", default=None)


@contextmanager
def written_with(names: ShortNames) -> Iterator[None]:
    """The lines that are planned in the block name nothing in full that needs not be."""
    token = _CURRENT.set(names)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def shortened(sql: str) -> str:
    """`sql` as it is to be written now."""
    names = _CURRENT.get()
    return names.shorten(sql) if names else sql


def _at(found: Sequence[Token], place: int) -> Token:
    return found[place] if 0 <= place < len(found) else Token(Kind.SYMBOL, "", 0)


def _name(token: Token) -> str:
    return token.text[1:-1].replace('""', '"') if token.kind is Kind.QUOTED_NAME else token.text.lower()


def _is_name(found: Sequence[Token], place: int) -> bool:
    """Whether a string is read as the name of an object: `'t'::regclass`, `nextval('t_id_seq')`."""
    function, _, string, as_, type_ = (_at(found, place + number) for number in range(-2, 3))
    if not string.text.startswith("'"):
        return False
    cast = (as_.text == "::" or as_.keyword == "AS") and _REGISTERED.fullmatch(type_.text) is not None
    return cast or function.keyword in _OF_SEQUENCES


def _bare_names(found: Sequence[Token]) -> frozenset[str]:
    """Names that stand without a schema, and are none themselves."""
    dots = {place for place, token in enumerate(found) if token.text == "."}
    return frozenset(
        _name(token)
        for place, token in enumerate(found)
        if token.kind in _NAMES and place - 1 not in dots and place + 1 not in dots
    )
