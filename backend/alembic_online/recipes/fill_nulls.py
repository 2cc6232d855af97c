"""`UPDATE t SET c = 0 [, d = 1] [WHERE c IS NULL AND d IS NULL AND ...]`: rows without values get some, in batches.

In one statement all these rows are locked until its end, and who changes one of them waits for all. Each batch is
committed; and as a row gets the same values whenever its turn comes, the same statement would do what is left of it.
No value is written over: each column is one that the revision itself has added, or the condition wants it to be NULL.
What else the condition says is true or false of the row alone, as long as the row stays as it is.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.keyset import KEY_OF_TABLE
from alembic_online.postgres.locks.reader import Reader, single
from alembic_online.postgres.sql.tokens import Kind, Token, called, text_of, tokens
from alembic_online.recipes.backfill_step import fill
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import folded, plain
from alembic_online.recipes.object_effects import GivenUp
from alembic_online.recipes.step import OnlineChange, Steps

# A trigger that sees the statement, or a rule, would see many; one that is switched off is so for clients as well, as
# long as it takes. What is checked at the end of the transaction may be made good by what follows. What a policy hides
# is not to be asked for.
_MINDS = """
    SELECT 1 FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND (tginitdeferred OR NOT tgisinternal AND (
        tgtype & 1 = 0 OR tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL OR tgenabled = 'D'))
    UNION ALL SELECT 1 FROM pg_rewrite WHERE ev_class = to_regclass(:table)
    UNION ALL SELECT 1 FROM pg_class WHERE oid = to_regclass(:table) AND relkind NOT IN ('r', 'p')
    UNION ALL SELECT 1 WHERE row_security_active(to_regclass(:table))
"""
_NUMBER = """
    SELECT concat_ws('_', attrelid, attnum) AS number FROM pg_attribute
    WHERE attrelid = to_regclass(:table) AND attname = ANY (:columns) AND NOT attisdropped ORDER BY attnum
"""
_ONE_VALUE = {
    "cast",
    "coalesce",
    "lower",
    "upper",
    "trim",
    "btrim",
    "left",
    "right",
    "replace",
    "concat",
    "abs",
    "md5",
    "length",
    *("and", "or", "not", "in", "like", "ilike", "between", "any", "case", "when", "then", "else"),
}
"""Functions that give the same for the same, and words before a parenthesis."""
_ANOTHER_EACH_TIME = {
    *("CURRENT_CATALOG", "CURRENT_DATE", "CURRENT_ROLE", "CURRENT_SCHEMA", "CURRENT_TIME", "CURRENT_TIMESTAMP"),
    *("CURRENT_USER", "LOCALTIME", "LOCALTIMESTAMP", "SESSION_USER", "SYSTEM_USER", "USER"),
    *("CURRENT", "DEFAULT", "FROM", "RETURNING", "SELECT"),
}
_NOT_EACH = {"BETWEEN", "CASE", "OR"}
"""Beside one of these words a part of a condition need not be true of each row that is found."""
_MOMENTS = ("now", "today", "tomorrow", "yesterday")


@dataclass(frozen=True)
class Fill:
    """What such an UPDATE says; values and condition as it writes them."""

    sql: str
    table: str
    values: Mapping[str, str]
    """By column, as PostgreSQL reads its name."""
    where: str | None
    """None where it is of all rows."""
    empty: frozenset[str]
    """The columns that are NULL in each row of the condition."""


def as_fill(sql: str) -> Fill | None:
    """None for any other statement, and for one that would not do the same of each row whenever its turn comes."""
    reader = single(sql)
    if reader is None or not reader.accept("UPDATE"):
        return None
    parts = reader.parts()
    table = ".".join(parts)
    if not table or not reader.accept("SET"):
        return None
    left = _without_table(reader.rest(), list(map(folded, parts)))
    end = next((at for at, token in enumerate(left) if token.keyword == "WHERE"), len(left))
    values: dict[str, str] = {}
    for part in Reader(left[:end]).split():
        column = folded(part.name())
        if not column or column in values or not part.accept("=") or not part.rest():
            return None
        values[column] = text_of(part.rest(), sql)
        if not _stays(part.rest()):
            return None
    condition = left[end + 1 :]
    # What it reads of them would be another value in a second statement of the same words.
    if not values or any(_reads(value, values) for value in map(_tokens, values.values())) or not _stays(condition):
        return None
    where = text_of(condition, sql) or None
    return Fill(sql, table, values, where, frozenset(_empty(condition)))


def fill_nulls(given: Fill, database: Database, is_new: Callable[[GivenUp], bool]) -> OnlineChange | None:
    """Its online way; None for a table that cannot be walked by a key, or where values would be written over.

    `is_new` says whether the revision has added a column, without a default: what clients insert meanwhile has that,
    and would get the other value too.
    """
    table = given.table
    others = given.values.keys() - given.empty
    if not all(is_new(GivenUp("column", plain(table), plain(column))) for column in others):
        return None

    def may_be_walked() -> bool:
        keys = database.ask(KEY_OF_TABLE, table=table)
        walks = bool(keys) and not given.values.keys() & set(map(folded, keys[0].columns))
        return walks and not database.ask(_MINDS, table=table)

    if not database.recall_whether(f"{given.sql} in batches", may_be_walked):
        return None
    return OnlineChange(table, _steps(given, database))


def _steps(given: Fill, database: Database) -> Steps:
    # Of a column or table that somebody has dropped and made again meanwhile, nothing is filled yet.
    numbers = "".join(f"_{row.number}" for row in database.ask(_NUMBER, table=given.table, columns=list(given.values)))
    name = f"{given.table}_{'_'.join(given.values)}_filled{numbers}".replace('"', "")
    # Each row once, as by the statement: what a client writes into it afterwards stays, and a trigger has its one turn,
    # also where a row gets what it has.
    definition = Backfill(
        table=given.table, values=given.values, where=given.where, name=name, in_step=True, asked_once=True
    )
    yield from fill(given.sql, definition, database, unlimited=True)


def _without_table(found: Sequence[Token], table: list[str]) -> list[Token]:
    """Without the name of the table before a column's, as SQLAlchemy writes it: `a.books.id`."""
    prefixes = [[each for part in parts for each in (part, ".")] for parts in (table, table[-1:])]
    left: list[Token] = []
    at = 0
    while at < len(found):
        starts = not left or left[-1].text != "."
        texts = [_read(token) for token in found[at : at + len(prefixes[0])]]
        gone = next((len(each) for each in prefixes if starts and texts[: len(each)] == each), 0)
        if not gone:
            left.append(found[at])
        at += gone or 1
    return left


def _read(token: Token) -> str:
    return folded(token.text) if token.kind in (Kind.WORD, Kind.QUOTED_NAME) else token.text


def _tokens(sql: str) -> list[Token]:
    return [token for token in tokens(sql) if token.kind is not Kind.COMMENT]


def _reads(value: Sequence[Token], columns: Collection[str]) -> bool:
    return any(_read(token) in columns for token in value if token.kind is not Kind.STRING)


def _empty(condition: Sequence[Token]) -> Iterator[str]:
    """The columns that are NULL wherever it is true."""
    inside = condition
    while inside and _closes(inside) == len(inside) - 1:
        inside = inside[1:-1]
    words = {token.keyword for token in _at_top(inside)}
    parts = [] if words & _NOT_EACH else list(Reader(inside).split("AND"))
    if len(parts) > 1:
        for part in parts:
            yield from _empty(part.rest())
    elif [token.keyword for token in inside[1:]] == ["IS", "NULL"]:
        yield folded(inside[0].text)


def _closes(found: Sequence[Token]) -> int:
    """Where the parenthesis is closed with which it begins; -1 where it begins with none."""
    depth = 0
    for at, token in enumerate(found):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not depth:
            return at if at else -1
    return -1


def _at_top(found: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not depth:
            yield token


def _stays(value: Sequence[Token]) -> bool:
    """Whether it is the same each time: it does not read the clock, nor other rows."""
    depth = 0
    for token in value:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "." or (token.text == "," and not depth) or _is_moment(token):
            return False
        if token.kind is Kind.PARAMETER or token.keyword in _ANOTHER_EACH_TIME:
            return False
    return all(name.lower() in _ONE_VALUE for name in called(value))


def _is_moment(token: Token) -> bool:
    """A text that a time is read from as the time at hand."""
    return token.text.strip("eE'() ").lower() in _MOMENTS
