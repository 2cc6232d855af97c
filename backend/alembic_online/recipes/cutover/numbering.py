"""A column that gets another sequence: what says where that goes on is part of the same instant.

    ALTER TABLE t ALTER id DROP DEFAULT; DROP SEQUENCE t_id_seq; ALTER TABLE t ALTER id ADD GENERATED ... AS IDENTITY;
    SELECT setval(pg_get_serial_sequence('t', 'id'), (SELECT max(id) FROM t))

Committed without the last one, the new sequence would begin at 1: clients would get numbers that are taken.
"""

import re

from alembic_online.postgres.locks.reader import first_word, statements
from alembic_online.postgres.sql.tokens import tokens
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import GivenUp, last_part, names_in_strings, same_name

_CALLED = re.compile(r"([^\W\d][\w$.]*)\s*\(")
_AT_ONCE = re.compile(
    r"setval|pg_get_serial_sequence|nextval|currval|lastval|max|min|coalesce|nullif|greatest|least|abs|cast|as|select"
    r"|from|where|and|or|values"
)


def sequences_set(sql: str) -> set[str]:
    """The names in the strings of a SELECT of `setval` that does nothing else; none for any other statement."""
    if first_word(sql) != "SELECT" or "SETVAL" not in {token.keyword for token in tokens(sql)}:
        return set()
    others = [name for name in _CALLED.findall(sql) if not _AT_ONCE.fullmatch(name.lower())]
    return set() if others else set(names_in_strings(tokens(sql)))


def says_number(sql: str, each: GivenUp) -> bool:
    """Whether it says where a sequence goes on that a column is numbered by from now on."""
    if names := sequences_set(sql):
        return each.written in names or {last_part(each.table), each.name} <= names
    restarts = [reader for reader in statements(sql) if reader.has("RESTART")]
    for reader in restarts:
        if reader.accept("ALTER SEQUENCE"):
            return last_part(plain(reader.name())) == each.written
        if reader.accept("ALTER TABLE") and same_name(plain(reader.name()), each.table):
            return True
    return False


def may_say_number(sql: str, each: GivenUp) -> bool:
    """The same for what a DO block or a function's call may do."""
    words = set(re.findall(r"\w+", sql.lower()))
    return "setval" in words and (each.written in words or {last_part(each.table), each.name} <= words)


def owned_by(sql: str, table: str, column: str) -> bool:
    """Whether it makes a sequence the column's own."""
    for reader in statements(sql):
        if reader.accept_any("CREATE SEQUENCE", "ALTER SEQUENCE") and reader.skip_to("OWNED BY"):
            *of, name = map(plain, reader.parts() or [""])
            return same_name(".".join(of), table) and (not column or name == column.lower())
    return False
