"""Which of the constraints that a revision drops are keys: they have an index, and foreign keys may refer to them."""

from collections.abc import Iterable

from src.safety.online.database import Database
from src.safety.online.given_up import GivenUp

_IS_KEY = """
    SELECT 1 FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype IN ('p', 'u', 'x')
    AND lower(k.conname) = :name
    AND :table IN (lower(c.relname), lower(format('%s.%s', c.relnamespace::regnamespace, c.relname)))
"""


def with_keys(given_up: Iterable[GivenUp], database: Database) -> tuple[GivenUp, ...]:
    """The same, each constraint that is a key called one."""
    return tuple(each._replace(kind="key") if _is_key(each, database) else each for each in given_up)


def _is_key(each: GivenUp, database: Database) -> bool:
    def find() -> bool:
        return bool(database.ask(_IS_KEY, table=each.table, name=each.name))

    return each.kind == "constraint" and database.recall_whether(f"{each.table}.{each.name} is a key", find)
