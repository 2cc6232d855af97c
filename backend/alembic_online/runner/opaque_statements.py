"""What a block or a function has taken away, which no text tells: known only when it is done, and not yet committed."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.sqlstate import LOCK_NOT_AVAILABLE, QUERY_CANCELED, sqlstate
from alembic_online.recipes.names import plain
from alembic_online.runner.copied_values import CopiedRows
from alembic_online.runner.data_loss import COUNT_SECONDS, Loss
from alembic_online.runtime.row_security import every_row

# By its files a table holds something; one that is rolled back or was emptied by DELETE seems to as well.
_HOLDINGS = text(
    """
    SELECT c.oid::bigint AS oid, c.oid::regclass::text AS name, (
      SELECT coalesce(json_object_agg(a.attnum, quote_ident(a.attname)), '{}') FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ) AS columns, pg_stat_get_xact_tuples_deleted(c.oid) AS deleted,
      pg_stat_get_xact_tuples_inserted(c.oid) AS inserted
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND CASE WHEN CAST(:sized AS bool) THEN pg_relation_size(c.oid) > 0 ELSE c.reltuples <> 0 END
    """
)


class Holding(NamedTuple):
    """A table that holds rows."""

    oid: int
    name: str
    columns: dict[str, str]
    """By number."""
    deleted: int
    """Rows that this transaction has deleted (0 where the server counts nothing, by `track_counts`)."""
    inserted: int


def holdings(connection: Connection) -> list[Holding]:
    """All of them; where a table is locked, so that its files cannot be asked for, by the last ANALYZE."""
    try:
        with every_row(connection, seconds=COUNT_SECONDS):
            return [Holding(*row) for row in connection.execute(_HOLDINGS, {"sized": True})]
    except DBAPIError as error:
        if sqlstate(error) not in (QUERY_CANCELED, LOCK_NOT_AVAILABLE):
            raise
        return [Holding(*row) for row in connection.execute(_HOLDINGS, {"sized": False})]


def missing(
    before: list[Holding], connection: Connection, *, rows: bool, moved: Collection[CopiedRows] = ()
) -> Iterator[tuple[str, Loss]]:
    """Names of the tables that are gone or emptied since, and of the columns; a new name is no loss.

    With `rows`, also of the tables of which some have been deleted, and not `moved` to another table.
    """
    now = {each.oid: each for each in holdings(connection)}
    for table in before:
        if table.oid not in now:
            yield table.name, Loss(f"table {table.name}", "rows, not counted")
            continue
        deleted = now[table.oid].deleted - table.deleted - _arrived(table, before, now.values(), moved)
        if rows and deleted > 0:
            yield "", Loss(f"table {table.name}", f"{deleted} row{'' if deleted == 1 else 's'}")
        gone = table.columns.keys() - now[table.oid].columns.keys()
        for number in sorted(gone, key=int):
            name = f"{table.name}.{table.columns[number]}"
            yield name, Loss(f"column {name}", "values, not counted")


def _arrived(table: Holding, before: Iterable[Holding], now: Iterable[Holding], moved: Collection[CopiedRows]) -> int:
    """How many of the rows of `table` are in another one."""
    targets = [plain(each.target) for each in moved if plain(each.source) == plain(table.name)]
    inserted = sum(each.inserted for each in now if plain(each.name) in targets)
    return inserted - sum(each.inserted for each in before if plain(each.name) in targets)
