"""A column that gets a type and, further down, another one: both changes and the rows in between, as one change.

    ALTER TABLE t ALTER c TYPE text USING c::text; DROP TYPE e; CREATE TYPE e ...;
    UPDATE t SET c = 'b' WHERE c = 'a'; ALTER TABLE t ALTER c TYPE e USING c::e

is how many people take a label from an enum. Line by line, clients that write an `e` would find a text, without its
default, while rows are changed and the table is copied twice. What becomes of a value is written out, so it can as well
be said by the USING of one change, from the first type to the last.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic_online.postgres.locks.reader import Reader, single, statements
from alembic_online.postgres.sql.tokens import Kind, Token, called, text_of, tokens
from alembic_online.recipes.names import folded

# What may stand between and has nothing to do with the type of a column.
_APART = ("DROP TYPE", "DROP DOMAIN", "DROP INDEX", "DROP VIEW", "CREATE TYPE", "ALTER TYPE")
_APART_OF_TABLE = ("DROP CONSTRAINT",)
_APART_OF_COLUMN = ("DROP DEFAULT",)
_SAME_EACH_TIME = re.compile(
    r"""all|and|any|array|array_remove|array_replace|btrim|case|cast|coalesce|concat|else|ends_with|in|initcap|left|
    length|lower|lpad|ltrim|not|nullif|or|position|regexp_replace|replace|reverse|right|rpad|rtrim|split_part|
    starts_with|strpos|substr|substring|then|translate|trim|upper|when""",
    re.VERBOSE | re.IGNORECASE,
)
"""Functions that give the same for the same, and words before a parenthesis."""
_OF_MORE_THAN_THE_ROW = ("SELECT", "DEFAULT", "SESSION_USER", "USER", "FROM", "RETURNING")
_OF_THE_MOMENT = ("CURRENT_", "LOCALTIME")
_NAMES = (Kind.WORD, Kind.QUOTED_NAME)
_VARCHAR = re.compile(r"^(character\s+varying|varchar)\s*\(\s*\d+\s*\)", re.IGNORECASE)
_PADDED = re.compile(r"^(char|character|bit)\b(?!\s+varying)", re.IGNORECASE)
_LONGEST = 20_000  # characters of what is said of one value: a condition names the value as it is above it


@dataclass(frozen=True)
class RetypedTwice:
    """The column, the statements that are one change, in their order, and that change."""

    table: str
    statements: tuple[str, ...]
    one: str

    def of_rows(self, sql: str) -> str:
        """An UPDATE of these, as it can be asked about while the column has its first type; "" for any other."""
        update = _update(sql)
        return _with_value(sql, list(tokens(sql)), update, f"({update.written}::text)") if update else ""


def squeezed(sql: str) -> str:
    """A statement as it is compared: white space, and what SQLAlchemy escapes, do not count."""
    return " ".join(sql.replace("\\:", ":").split()).rstrip("; ")


def retyped_twice(written: Sequence[str]) -> list[RetypedTwice]:
    """All such columns of a direction of a revision, whose statements are `written` out.

    None where something between two of them may depend on the type that is there only for a while.
    """
    found = [each for at in range(len(written)) if (each := _from(at, written)) is not None]
    firsts: dict[tuple[str, str], _Chain] = {}
    for each in found:
        firsts.setdefault((each.column.table, each.column.name), each)
    chains = list(firsts.values())
    while True:  # each may stand between the lines of another only as long as that one is such a column too
        places = {at for each in chains for at in each.places}
        apart = {at for at, sql in enumerate(written) if at in places or _is_apart(sql) or _is_default(at, sql, chains)}
        sound = [each for each in chains if apart.issuperset(each.between)]
        if sound == chains:
            return [RetypedTwice(each.column.written_table, each.texts(written), each.one) for each in chains]
        chains = sound


@dataclass(frozen=True)
class _Column:
    """`table` and `name` are plain; an alias of an UPDATE is a name of the table too."""

    table: str
    name: str
    written_table: str
    written: str
    alias: str = ""

    def is_of(self, other: "_Column") -> bool:
        return (self.table, self.name) == (other.table, other.name)


@dataclass(frozen=True)
class _Chain:
    column: _Column
    places: tuple[int, ...]
    one: str

    @property
    def between(self) -> range:
        return range(self.places[0], self.places[-1])

    def texts(self, written: Sequence[str]) -> tuple[str, ...]:
        return tuple(squeezed(written[at]) for at in self.places)


def _from(start: int, written: Sequence[str]) -> _Chain | None:
    first = _type_change(written[start])
    if first is None:
        return None
    column, kind, using = first
    places, value, chain = [start], _converted(column.written, kind, using, column), None
    for at in range(start + 1, len(written)):
        sql = written[at]
        if value is None or len(value) > _LONGEST:
            break
        if (change := _type_change(sql)) is not None and change[0].is_of(column):
            _, kind, using = change
            places.append(at)
            last = _replaced(using, column, f"({value})") if using else f"({value})"
            one = f"ALTER TABLE {column.written_table} ALTER COLUMN {column.written} TYPE {kind} USING {last}"
            chain = _Chain(column, tuple(places), one)
            value = _converted(value, kind, using, column)
        elif (update := _update(sql)) is not None and update.is_of(column):
            places.append(at)
            value = _changed(value, kind, sql, update)
            if value is not None and any(_drops_default(each, column) for each in written[:at]):
                one = f"ALTER TABLE {column.written_table} ALTER COLUMN {column.written} TYPE {kind} USING {value}"
                chain = _Chain(column, tuple(places), one)
    return chain


def _drops_default(sql: str, column: _Column) -> bool:
    """Then rows that are changed in between would be changed while clients miss the default."""
    changed = _default_of(sql, "DROP DEFAULT")
    return changed is not None and changed.is_of(column)


def _is_default(at: int, sql: str, chains: Sequence[_Chain]) -> bool:
    """Whether it sets the default of a column that has its last type there."""
    column = _default_of(sql, "SET DEFAULT")
    return column is not None and not any(each.column.is_of(column) and at in each.between for each in chains)


def _default_of(sql: str, words: str) -> _Column | None:
    for reader in statements(sql):
        table = reader.name() if reader.accept("ALTER TABLE") else ""
        if table and reader.accept("ALTER"):
            reader.accept("COLUMN")
            column = reader.name()
            return _column(table, column) if reader.accept(words) else None
    return None


def _converted(value: str, kind: str, using: str, column: _Column) -> str | None:
    """What the first or a middle type makes of a value; None for a type to which a cast does something else."""
    if _PADDED.match(kind):
        return None
    given = _replaced(using, column, f"({value})") if using else value
    return f"({given})::{_unlimited(kind)}"


def _unlimited(kind: str) -> str:
    """A cast to varchar(5) cuts what an assignment refuses: it would hide a value that is too long."""
    return _VARCHAR.sub(r"\1", kind)


def _changed(value: str, kind: str, sql: str, update: _Column) -> str | None:
    (reader,) = statements(sql)
    reader.skip_to("=")
    rest = list(reader.rest())
    where = next((at for at, token in enumerate(rest) if token.keyword == "WHERE"), len(rest))
    if not where or not _is_of_the_row(rest):
        return None
    new, condition = text_of(rest[:where], sql), text_of(rest[where + 1 :], sql)
    becomes = f"({_replaced(new, update, f'({value})')})::{_unlimited(kind)}"
    if not condition:
        return becomes
    return f"CASE WHEN {_replaced(condition, update, f'({value})')} THEN {becomes} ELSE {value} END"


def _is_of_the_row(found: Sequence[Token]) -> bool:
    """Whether the row alone says what it is: no query, no clock, no function that nobody knows here."""
    for token in found:
        if token.kind is Kind.PARAMETER or token.keyword in _OF_MORE_THAN_THE_ROW:
            return False
        if token.keyword.startswith(_OF_THE_MOMENT):
            return False
    return all(map(_SAME_EACH_TIME.fullmatch, called(found)))


def _type_change(sql: str) -> tuple[_Column, str, str] | None:
    """The column, its new type, and what USING says, of a statement that does nothing else."""
    reader = single(sql)
    if reader is None or not reader.accept("ALTER TABLE"):
        return None
    table, actions = reader.name(), list(reader.split())
    if not table or len(actions) != 1 or not actions[0].accept("ALTER"):
        return None
    (action,) = actions
    action.accept("COLUMN")
    column = action.name()
    if not action.accept_any("TYPE", "SET DATA TYPE"):
        return None
    rest = list(action.rest())
    using = next((at for at, token in enumerate(rest) if token.keyword == "USING"), len(rest))
    if not using:
        return None
    return _column(table, column), text_of(rest[:using], sql), text_of(rest[using + 1 :], sql)


def _update(sql: str) -> _Column | None:
    """The one column that it sets."""
    reader = single(sql)
    if reader is None or not reader.accept("UPDATE"):
        return None
    table = reader.name()
    reader.accept("AS")
    alias = "" if reader.comes("SET") else reader.name()
    if not reader.accept("SET"):
        return None
    column = reader.name()
    if not reader.accept("="):
        return None
    rest = list(reader.rest())
    end = next((at for at, token in enumerate(rest) if token.keyword == "WHERE"), len(rest))
    if len(list(Reader(rest[:end]).split())) != 1:
        return None
    return _column(table, column, alias)


def _column(table: str, column: str, alias: str = "") -> _Column:
    return _Column(".".join(map(folded, table.split("."))), folded(column), table, column, alias)


def _is_apart(sql: str) -> bool:
    for reader in statements(sql):
        if reader.accept_any(*_APART):
            continue
        if not reader.accept("ALTER TABLE"):
            return False
        reader.accept_any("IF EXISTS", "ONLY")
        reader.name()
        if not all(map(_is_apart_action, reader.split())):
            return False
    return True


def _is_apart_action(action: Reader) -> bool:
    if action.comes(*_APART_OF_TABLE):
        return True
    if not action.accept("ALTER"):
        return False
    action.accept("COLUMN")
    action.name()
    return action.comes(*_APART_OF_COLUMN)


def _replaced(sql: str, column: _Column, value: str) -> str:
    return _with_value(sql, list(tokens(sql)), column, value)


def _with_value(sql: str, found: Sequence[Token], column: _Column, value: str) -> str:
    """`sql` with `value` for the column, but where that is set."""
    parts, end = [], 0
    for first, last in _places(found, column):
        parts += [sql[end : found[first].start], value]
        end = found[last].start + len(found[last].text)
    return "".join([*parts, sql[end:]])


def _places(found: Sequence[Token], column: _Column) -> Iterator[tuple[int, int]]:
    """The first and the last token of each place that names the column, if only as a column of its table."""
    tables = {column.table.rpartition(".")[2], folded(column.alias)} - {""}
    for at, token in enumerate(found):
        if token.kind not in _NAMES or folded(token.text) != column.name:
            continue
        before, after = found[at - 1] if at else None, found[at + 1] if at + 1 < len(found) else None
        if after is not None and after.text in ("(", "."):
            continue
        if before is None:
            yield at, at
        elif before.text == ".":
            if at > 1 and folded(found[at - 2].text) in tables and not (at > 2 and found[at - 3].text == "."):
                yield at - 2, at
        elif before.text != "::" and before.keyword not in ("AS", "SET"):
            yield at, at
