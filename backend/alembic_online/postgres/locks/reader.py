"""Reading a statement from left to right, token by token."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from alembic_online.postgres.sql.tokens import Kind, Token, text_of, tokens


class Reader:
    """The tokens of one statement without its comments, and a place among them."""

    def __init__(self, statement: Sequence[Token]) -> None:
        self._tokens = statement
        self._at = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._tokens)

    def accept(self, words: str) -> bool:
        """Step over these words, in capitals and with one space between, if they come next."""
        wanted = words.split()
        coming = [token.keyword or token.text for token in self._tokens[self._at : self._at + len(wanted)]]
        if coming != wanted:
            return False
        self._at += len(wanted)
        return True

    def comes(self, *choices: str) -> bool:
        """Whether one of `choices` comes next."""
        at = self._at
        found = self.accept_any(*choices) is not None
        self._at = at
        return found

    def accept_any(self, *choices: str) -> str | None:
        """Step over the first of `choices` that comes next, and say which."""
        return next((choice for choice in choices if self.accept(choice)), None)

    def skip_to(self, *choices: str) -> str | None:
        """Step over everything up to and with one of `choices`, at any depth; None, and the end, if none comes."""
        while not self.done:
            if (found := self.accept_any(*choices)) is not None:
                return found
            self._at += 1
        return None

    def name(self) -> str:
        """Step over a name and return it as written, with its schema; "" where there is none."""
        return ".".join(self.parts())

    def parts(self) -> list[str]:
        """Step over a name and return its parts as written."""
        found: list[str] = []
        while (not found or self.accept(".")) and (part := self._part()):
            found.append(part)
        return found

    def altered(self) -> str:
        """Step over `IF EXISTS ONLY a.b`, as it comes behind ALTER TABLE, and return the name as written."""
        self.accept("IF EXISTS")
        self.accept("ONLY")
        return self.name()

    def names(self) -> list[str]:
        """Step over a list of tables: `ONLY a, b.c *, d`."""
        found: list[str] = []
        while True:
            self.accept("ONLY")
            if not (name := self.name()):
                return found
            found.append(name)
            self.accept("*")
            if not self.accept(","):
                return found

    def has(self, word: str) -> bool:
        """Whether this keyword is still to come."""
        return any(token.keyword == word for token in self._tokens[self._at :])

    def rest(self) -> Sequence[Token]:
        """The tokens that are left."""
        return self._tokens[self._at :]

    def parentheses(self) -> "Reader":
        """Step over what comes in parentheses, and return a reader of what is inside; empty where none come."""
        if not self.accept("("):
            return Reader(())
        start, depth = self._at, 1
        while depth and not self.done:
            depth += {"(": 1, ")": -1}.get(self._tokens[self._at].text, 0)
            self._at += 1
        return Reader(self._tokens[start : self._at - (depth == 0)])

    def split(self, separator: str = ",") -> "Iterator[Reader]":
        """A reader for each part of what is left, separated outside of parentheses."""
        yield from map(Reader, _split(self.rest(), separator))
        self._at = len(self._tokens)

    def _part(self) -> str:
        if self.done or self._tokens[self._at].kind not in (Kind.WORD, Kind.QUOTED_NAME):
            return ""
        self._at += 1
        return self._tokens[self._at - 1].text


def statements(sql: str) -> Iterator[Reader]:
    """A reader for each statement in `sql`, which has a token at least."""
    yield from map(Reader, filter(None, _split_statements(_read(sql))))


def single(sql: str) -> Reader | None:
    """A reader of the one statement of `sql`; None where it has several, or none."""
    found = list(statements(sql))
    return found[0] if len(found) == 1 else None


def first_word(sql: str) -> str:
    """The keyword that it begins with, behind comments and parentheses; "" where it begins with none."""
    return next((token.keyword for token in _read(sql) if token.text != "("), "")


def texts(sql: str) -> list[str]:
    """The text of each statement in `sql`, without the comments around it; as it is, where there is but one."""
    found = [each for each in _split_statements(_read(sql)) if each]
    return [text_of(each, sql) for each in found] if len(found) > 1 else [sql]


@lru_cache(maxsize=8)  # each statement is looked at from several sides, one after the other
def _read(sql: str) -> tuple[Token, ...]:
    return tuple(token for token in tokens(sql) if token.kind is not Kind.COMMENT)


def _split_statements(sequence: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """A semicolon ends none inside of parentheses (a rule's), nor inside of a routine's body (BEGIN ATOMIC ... END)."""
    start = depth = body = 0
    for at, token in enumerate(sequence):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if body:
            body += {"CASE": 1, "END": -1}.get(token.keyword, 0)
        elif token.keyword == "ATOMIC" and at and sequence[at - 1].keyword == "BEGIN":
            body = 1
        elif token.text == ";" and depth == 0:
            yield sequence[start:at]
            start = at + 1
    if start < len(sequence):
        yield sequence[start:]


def _split(sequence: Sequence[Token], separator: str) -> Iterator[Sequence[Token]]:
    start = depth = 0
    for at, token in enumerate(sequence):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if depth == 0 and token.text == separator:
            yield sequence[start:at]
            start = at + 1
    if start < len(sequence):
        yield sequence[start:]
