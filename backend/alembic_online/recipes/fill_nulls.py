"""`UPDATE t SET c = 0 [WHERE c IS NULL]`: rows without a value get one, in batches where the table is large.

In one statement all these rows are locked until its end, and who changes one of them waits for all. Each batch is
committed; and as a row gets the same value whenever its turn comes, the same statement would do what is left of it.
Without the condition it is so of a column that the revision itself has added: no value is written over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.keyset import KEY_OF_TABLE
from alembic_online.postgres.locks.reader import statements
from alembic_online.postgres.sql.tokens import Kind, Token
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
    WHERE attrelid = to_regclass(:table) AND attname = :column AND NOT attisdropped
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
}
"""Functions that give the same for the same, and words before a parenthesis."""
_ANOTHER_EACH_TIME = ("CURRENT_", "LOCALTIME", "SESSION_USER", "USER", "SELECT", "DEFAULT", "FROM", "RETURNING")
_MOMENTS = ("now", "today", "tomorrow", "yesterday")


@dataclass(frozen=True)
class Fill:
    """What such an UPDATE says; names as it writes them."""

    sql: str
    table: str
    column: str
    value: str
    where: str | None
    """None where it is of all rows."""


def as_fill(sql: str) -> Fill | None:
    """None for any other statement."""
    found = list(statements(sql))
    if len(found) != 1 or not found[0].accept("UPDATE"):
        return None
    (reader,) = found
    table = reader.name()
    if not table or not reader.accept("SET"):
        return None
    column = reader.name()
    if not reader.accept("=") or not (given := _value(list(reader.rest()), column, sql)):
        return None
    return Fill(sql, table, column, *given)


def fill_nulls(given: Fill, database: Database, is_new: Callable[[GivenUp], bool]) -> OnlineChange | None:
    """Its online way; None for a table that cannot be walked by a key, or where values would be written over.

    `is_new` says whether the revision has added a column, without a default: what clients insert meanwhile has that,
    and would get the other value too.
    """
    table, column = given.table, given.column
    if given.where is None and not is_new(GivenUp("column", plain(table), plain(column))):
        return None

    def may_be_walked() -> bool:
        keys = database.ask(KEY_OF_TABLE, table=table)
        walks = bool(keys) and folded(column) not in map(folded, keys[0].columns)
        return walks and not database.ask(_MINDS, table=table)

    if not database.recall_whether(f"{given.sql} in batches", may_be_walked):
        return None
    return OnlineChange(table, _steps(given, database))


def _steps(given: Fill, database: Database) -> Steps:
    # Of a column or table that somebody has dropped and made again meanwhile, nothing is filled yet.
    column = folded(given.column)
    numbers = "".join(f"_{row.number}" for row in database.ask(_NUMBER, table=given.table, column=column))
    name = f"{given.table}_{column}_filled{numbers}".replace('"', "")
    # Each row once, as by the statement: what a client writes into it afterwards stays, and a trigger has its one turn.
    values = {column: given.value}
    definition = Backfill(table=given.table, values=values, where=given.where, name=name, in_step=True)
    yield from fill(given.sql, definition, database, unlimited=True)


def _value(left: Sequence[Token], column: str, sql: str) -> tuple[str, str | None] | None:
    """The value and the condition, which says `column IS NULL`, or is none; None where either says more."""
    end = next((at for at, token in enumerate(left) if token.keyword == "WHERE"), len(left))
    condition = [token for token in left[end + 1 :] if token.text not in ("(", ")")]
    if not end or not _stays(left[:end], column):
        return None
    value = sql[left[0].start : left[end - 1].start + len(left[end - 1].text)]
    if end == len(left):
        return value, None
    is_null = [token.keyword for token in condition[1:]] == ["IS", "NULL"] and folded(condition[0].text) == folded(
        column
    )
    return (value, f"{column} IS NULL") if is_null else None


def _stays(value: Sequence[Token], column: str) -> bool:
    """Whether it is the same each time: it does not read the column, nor the clock."""
    depth = 0
    for at, token in enumerate(value):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "." or (token.text == "," and not depth) or _is_moment(token):
            return False
        if token.kind is Kind.PARAMETER or token.keyword.startswith(_ANOTHER_EACH_TIME):
            return False
        if token.kind in (Kind.WORD, Kind.QUOTED_NAME) and folded(token.text) == folded(column):
            return False
        called = at + 1 < len(value) and value[at + 1].text == "(" and token.kind in (Kind.WORD, Kind.QUOTED_NAME)
        cast = at > 0 and (value[at - 1].text == "::" or value[at - 1].keyword == "AS")
        if called and not cast and token.text.lower() not in _ONE_VALUE:
            return False
    return True


def _is_moment(token: Token) -> bool:
    """A text that a time is read from as the time at hand."""
    return token.text.strip("eE'() ").lower() in _MOMENTS
