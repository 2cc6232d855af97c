"""A type that takes the name of another, which the revision gives up: it is made beforehand, under a name of its own.

    ALTER TYPE state RENAME TO state_old; CREATE TYPE state ...; ALTER TABLE ... TYPE state; DROP TYPE state_old

Whoever writes `CAST($1 AS state)` means the type that the column has. So both names change hands in the cut-over, when
the columns of the new type are filled.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alembic.ddl.postgresql import PostgresqlColumnType
from sqlalchemy.types import UserDefinedType

from alembic_online.postgres.locks.reader import statements
from alembic_online.postgres.sql.tokens import Kind, Token, tokens
from alembic_online.recipes.names import kind_sql, plain, quoted, temporary, unquoted
from alembic_online.recipes.object_effects import last_part, same_name

_RULES = {"CHECK", "NOT", "CONSTRAINT"}


class Written(UserDefinedType[Any]):
    """A type as it was written."""

    cache_ok = False

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def get_col_spec(self, **_: Any) -> str:
        """The SQL of the type."""
        return self._sql


@dataclass(frozen=True)
class StandIn:
    """The type, and the statements that make it under the other name, and give it its own. Names as SQL writes them."""

    name: str
    made: str
    create: str
    rename: str
    labels: tuple[str, ...] = ()
    """Of an enum, or of the enum that a domain is made of."""
    made_of: frozenset[str] = frozenset()
    """Others that stand in."""

    @property
    def drop(self) -> str:
        """The statement that takes it away again."""
        return f"DROP {self.rename.split()[1]} {self.made}"


def stand_in(sql: str, others: Sequence[StandIn] = ()) -> StandIn | None:
    """For a statement that makes a type or a domain; what it is made of may be among the `others`.

    None for a domain with a rule: a column of one cannot be made beside another.
    """
    for reader in statements(sql):
        kind = reader.accept_any("CREATE TYPE", "CREATE DOMAIN")
        first = reader.rest()[0] if kind and not reader.done else None
        if first is None or kind is None:
            return None
        parts = reader.parts()
        found = reader.rest()
        if kind == "CREATE DOMAIN" and {token.keyword for token in found} & _RULES:
            return None
        new = quoted(temporary(unquoted(parts[-1])))
        name, made = ".".join(parts), ".".join([*parts[:-1], new])
        body = found[0].start if found else len(sql)
        definition, bases = _with_other_names(sql[body:], others)
        create = sql[: first.start] + sql[first.start : body].replace(name, made, 1) + definition
        rename = f"ALTER {kind.removeprefix('CREATE ')} {made} RENAME TO {parts[-1]}"
        labels = [each.text[1:-1].replace("''", "'") for each in found if each.kind is Kind.STRING]
        if not reader.accept("AS ENUM"):
            labels = [label for base in bases for label in base.labels] if kind == "CREATE DOMAIN" else []
        return StandIn(name, made, create, rename, tuple(labels), frozenset(base.made for base in bases))
    return None


def labels_of(kind: str, stand_ins: Sequence[StandIn]) -> tuple[str, ...]:
    """Of the enum that stands in as this type, or as that of the elements of an array; none for anything else."""
    element = kind.partition("[")[0]
    return next((each.labels for each in stand_ins if each.made == element), ())


def with_stand_ins(construct: Any, stand_ins: Sequence[StandIn]) -> Any:
    """The same change, to the types that stand in."""
    using = getattr(construct, "using", None)
    kind = with_stand_in_names(f"::{kind_sql(construct.type_)}", stand_ins)[len("::") :]
    return PostgresqlColumnType(
        construct.table_name,
        construct.column_name,
        Written(kind),
        schema=construct.schema,
        using=with_stand_in_names(using, stand_ins) if using else None,
    )


def with_stand_in_names(sql: str, stand_ins: Sequence[StandIn]) -> str:
    """`sql` with the names of types, as they come after `::`, `AS` and `TYPE`, replaced."""
    found = list(tokens(sql))
    return _exchanged(sql, found, _types(found), stand_ins)[0]


def _with_other_names(definition: str, others: Sequence[StandIn]) -> tuple[str, list[StandIn]]:
    """What a type is made of, with the names of others replaced, and those others."""
    found = list(tokens(definition))
    return _exchanged(definition, found, _types_of_parts(found), others)


def _exchanged(
    sql: str, found: Sequence[Token], places: Iterable[tuple[int, int]], stand_ins: Sequence[StandIn]
) -> tuple[str, list[StandIn]]:
    parts, end, used = [], 0, []
    for first, last in places:
        name = plain("".join(token.text for token in found[first : last + 1]))
        for each in stand_ins:
            if same_name(name, plain(each.name)):
                parts += [sql[end : found[last].start], last_name(each.made)]
                end = found[last].start + len(found[last].text)
                used.append(each)
    return "".join([*parts, sql[end:]]), used


def _types_of_parts(found: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """The places of names, but for those with which a part of a composite type or an option of a range begins."""
    at = 0
    while at < len(found):
        last = at
        while last + 2 < len(found) and found[last + 1].text == ".":
            last += 2
        if found[at].kind in (Kind.WORD, Kind.QUOTED_NAME) and not (at and found[at - 1].text in ("(", ",")):
            yield at, last
        at = last + 1


def _types(found: list[Token]) -> Iterator[tuple[int, int]]:
    """The places of the first and the last token of each name of a type."""
    for at, token in enumerate(found[:-1]):
        if token.text == "::" or token.keyword in ("AS", "TYPE"):
            last = at + 1
            while last + 2 < len(found) and found[last + 1].text == ".":
                last += 2
            yield at + 1, last


def last_name(name: str) -> str:
    """The last part of a name as SQL writes it."""
    return name if name.startswith('"') and name.count('"') == 2 else last_part(name)
