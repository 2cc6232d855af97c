"""Names without the default schema, so that a revision makes the same in whatever schema the search_path names.

So with what an extension has made: it is in another schema on every second server. Where a schema that the project
makes itself comes before the default one on the search_path, only these are written without: a name that says none
would mean another object from the revision on that makes that schema.

PostgreSQL prints names in full where it is asked with an empty search_path, as the catalogue is. They are shortened
where a line is written, token by token, so that no text and no body of a function is touched. A name stays in full
where the short one would mean something else: one of pg_catalog, which is searched first, a keyword, a query of a WITH.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from alembic_online.postgres.sql.tokens import Kind, Token, tokens

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
# What extensions have made, where the search_path finds it under its short name.
_OF_EXTENSIONS = text("""
WITH member AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass),
found (name, schema) AS (
    SELECT t.typname, t.typnamespace FROM member m JOIN pg_type t ON t.oid = m.objid
    WHERE m.classid = 'pg_type'::regclass AND pg_type_is_visible(t.oid)
    UNION SELECT p.proname, p.pronamespace FROM member m JOIN pg_proc p ON p.oid = m.objid
    WHERE m.classid = 'pg_proc'::regclass AND pg_function_is_visible(p.oid)
    UNION SELECT o.oprname, o.oprnamespace FROM member m JOIN pg_operator o ON o.oid = m.objid
    WHERE m.classid = 'pg_operator'::regclass AND pg_operator_is_visible(o.oid)
    UNION SELECT c.opcname, c.opcnamespace FROM member m JOIN pg_opclass c ON c.oid = m.objid
    WHERE m.classid = 'pg_opclass'::regclass AND pg_opclass_is_visible(c.oid)
    UNION SELECT c.relname, c.relnamespace FROM member m JOIN pg_class c ON c.oid = m.objid
    WHERE m.classid = 'pg_class'::regclass AND pg_table_is_visible(c.oid)
    UNION SELECT d.dictname, d.dictnamespace FROM member m JOIN pg_ts_dict d ON d.oid = m.objid
    WHERE m.classid = 'pg_ts_dict'::regclass AND pg_ts_dict_is_visible(d.oid)
)
SELECT n.nspname::text, array_agg(f.name::text) FROM found f JOIN pg_namespace n ON n.oid = f.schema GROUP BY 1
""")
_NAMES = (Kind.WORD, Kind.QUOTED_NAME)
_REGISTERED = re.compile(r"reg(class|type|proc|procedure|oper|operator|config|dictionary|collation)", re.IGNORECASE)
_OF_SEQUENCES = ("NEXTVAL", "SETVAL", "PG_GET_SERIAL_SEQUENCE")


@dataclass(frozen=True)
class ShortNames:
    """The schema that needs not be named, and the names that mean something else without it."""

    schema: str
    """Empty if the default one is to be named."""
    taken: frozenset[str]
    called: frozenset[str]
    """Those that are functions."""
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What extensions have made, by schema."""

    @classmethod
    def of(cls, connection: Connection, schema: str, *, in_full: bool = False) -> "ShortNames":
        """In the database of `connection`; `in_full` if the default schema is to be named."""
        rows = connection.execute(_TAKEN).all()
        called, taken = (frozenset(row.name for row in rows if row.called is kind) for kind in (True, False))
        members = {str(where): frozenset(names) for where, names in connection.execute(_OF_EXTENSIONS)}
        return cls("" if in_full else schema, taken, called, members)

    def shorten(self, sql: str) -> str:
        """`sql` without the schema."""
        if not (self.schema and self.schema in sql) and not any(schema in sql for schema in self.members):
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
        if token.kind not in _NAMES or dot.text != "." or before.text == ".":
            return False
        if _name(token) != self.schema and not self._is_member(_name(token), named):
            return False
        is_called = after.text == "(" or before.text == "="
        taken = self.taken | queries | (self.called if is_called else frozenset())
        return named.kind not in _NAMES or _name(named) not in taken

    def _is_member(self, schema: str, named: Token) -> bool:
        """Whether an extension has made what is named; an operator is in more than one token."""
        return schema in self.members and (named.kind not in _NAMES or _name(named) in self.members[schema])


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


def schema_option(schema: str, default: str) -> str | None:
    """A schema as an argument of an operation: None for the default one, unless that is to be named too."""
    names = _CURRENT.get()
    return None if schema == default and (names is None or names.schema) else schema


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
