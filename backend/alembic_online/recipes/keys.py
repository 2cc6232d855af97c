"""Which of the constraints that a revision drops are keys: they have an index, and foreign keys may refer to them.

Those go with a key that is dropped CASCADE.
"""

from collections.abc import Iterator

from alembic_online.postgres.sql.tokens import tokens
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import GivenUp, given_up

_IS_KEY = """
    SELECT 1 FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype IN ('p', 'u', 'x')
    AND lower(k.conname) = :name
    AND :table IN (lower(c.relname), lower(format('%s.%s', c.relnamespace::regnamespace, c.relname)))
"""
_REFERRING = """
    SELECT format('%I.%I', r.relnamespace::regnamespace, r.relname) AS table, quote_ident(f.conname) AS name
    FROM pg_constraint f JOIN pg_class r ON r.oid = f.conrelid JOIN pg_constraint k ON k.conindid = f.conindid
    JOIN pg_class c ON c.oid = k.conrelid WHERE f.contype = 'f' AND k.contype IN ('p', 'u') AND lower(k.conname) = :name
    AND :table IN (lower(c.relname), lower(format('%s.%s', c.relnamespace::regnamespace, c.relname)))
"""


def given_up_with_keys(sql: str, database: Database) -> tuple[GivenUp, ...]:
    """What `sql` gives up, each constraint that is a key called one."""
    found = (each._replace(kind="key") if _is_key(each, database) else each for each in given_up(sql))
    cascades = any(token.keyword == "CASCADE" for token in tokens(sql))
    return tuple(one for each in found for one in (each, *(_referring(each, database) if cascades else ())))


def _referring(each: GivenUp, database: Database) -> Iterator[GivenUp]:
    if each.kind == "key":
        for row in database.ask(_REFERRING, table=each.table, name=each.name):
            yield GivenUp("constraint", plain(row.table), plain(row.name), row.name)


def _is_key(each: GivenUp, database: Database) -> bool:
    def find() -> bool:
        return bool(database.ask(_IS_KEY, table=each.table, name=each.name))

    return each.kind == "constraint" and database.recall_whether(f"{each.table}.{each.name} is a key", find)
