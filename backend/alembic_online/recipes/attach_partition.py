"""ATTACH PARTITION: PostgreSQL reads all rows of the new partition under ACCESS EXCLUSIVE, unless a CHECK says enough.

So its bound is proven first, by a CHECK that goes again with the same transaction. Where rows of the partition lie in
the default one, PostgreSQL refuses it, after it has read all of those. Few rows are moved in the transaction that
attaches it, so that nobody misses one: the default partition is locked against writers meanwhile. Many rows, or rows on
which something hangs (foreign keys, triggers), are named before. Which rows belong to a partition is asked of the
server, by an empty table that is partitioned like the other.
"""

from collections.abc import Iterator
from functools import partial

from sqlalchemy.exc import DBAPIError

from alembic_online.errors import RevisionFailed
from alembic_online.postgres.locks.reader import Reader
from alembic_online.recipes.constraint import obstacle_columns
from alembic_online.recipes.database import Database
from alembic_online.recipes.generated_names import free_constraint_name
from alembic_online.recipes.names import quoted, unquoted, verbatim
from alembic_online.recipes.precheck import Obstacle
from alembic_online.recipes.step import OnlineChange, Step

_FEW = 1000  # rows that are moved while others wait: some 20 ms
_PARENT, _PART = "pg_temp.attach_parent", "pg_temp.attach_part"
_KEY = """
    SELECT pg_get_partkeydef(partrelid) AS key, pg_get_partition_constraintdef(partrelid) AS own
    FROM pg_partitioned_table WHERE partrelid = to_regclass(:table)
"""
_DEFAULT = """
    SELECT partdefid::regclass::text AS sql, pg_get_partkeydef(partrelid) AS key,
           (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = partrelid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
           EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND confrelid IN (partrelid, partdefid)) AS referred,
           EXISTS (SELECT FROM pg_trigger WHERE tgrelid = partdefid AND NOT tgisinternal) AS triggers
    FROM pg_partitioned_table WHERE partrelid = to_regclass(:table) AND partdefid <> 0
"""


def attach_partition(action: Reader, table: str, sql: str, database: Database) -> OnlineChange | None:
    """After ATTACH PARTITION: rows in the default partition are moved, or those of its own held against its bound."""
    part = action.name()
    bound = _text(action, sql)
    return _if_rows(table, part, bound, sql, database) or _proven(table, part, bound, sql, database)


def create_partition(reader: Reader, sql: str, database: Database) -> OnlineChange | None:
    """After CREATE TABLE: the same for PARTITION OF. Raises `RevisionFailed`: what is not there can take no rows."""
    if reader.accept("IF NOT EXISTS"):
        return None
    part = reader.name()
    if not reader.accept("PARTITION OF"):
        return None
    table = reader.name()
    reader.parentheses()
    change = _if_rows(table, part, _text(reader, sql), sql, database)
    if change is not None:
        raise RevisionFailed(
            f"Rows of the new partition {part} lie in the default partition of {table}: PostgreSQL does not make it.",
            f"Make it a table of its own, then attach it, which moves them:\n"
            f"CREATE TABLE {part} (LIKE {table} INCLUDING ALL); ALTER TABLE {table} ATTACH PARTITION {part} ...",
        )
    return None


def _text(reader: Reader, sql: str) -> str:
    """The bound, as it was written."""
    return "" if reader.done else sql[reader.rest()[0].start :]


def _if_rows(table: str, part: str, bound: str, sql: str, database: Database) -> OnlineChange | None:
    belongs = database.recall(f"rows of {part} to {table} {bound}", lambda: _rows_of(table, bound, database))
    if not belongs:
        return None
    return OnlineChange(table, _steps(table, part, belongs, sql, database), always=True)


def _proven(table: str, part: str, bound: str, sql: str, database: Database) -> OnlineChange | None:
    """The CHECK is added and validated while nobody waits; PostgreSQL then reads no row, and it goes again.

    None where the bound is no condition that could be written down: of a hash, or of the default partition.
    """
    facts = database.table(part) if database.is_known else None
    if facts is None or facts.partitioned:
        return None
    belongs = database.recall(f"bound of {part} in {table} {bound}", lambda: _bound(table, bound, database))
    return OnlineChange(part, _with_check(part, belongs, sql, database)) if belongs else None


def _with_check(part: str, belongs: str, sql: str, database: Database) -> Iterator[Step]:
    free = partial(free_constraint_name, unquoted(part.rpartition(".")[2]), "partition", "check", part, database)
    name = quoted(database.recall(f"the check of {part}", free))
    in_the_way = Obstacle(
        what=f"the bound of {part}",
        found="rows outside of it",
        select=f"SELECT {obstacle_columns(part, database)} FROM {part} WHERE ({belongs}) IS NOT TRUE",
    )
    yield Step(sql=f"ALTER TABLE {part} ADD CONSTRAINT {name} CHECK ({belongs}) NOT VALID", obstacle=in_the_way)
    yield Step(sql=f"ALTER TABLE {part} VALIDATE CONSTRAINT {name}")
    yield Step(sql=sql, joins=True, with_next=True)
    yield Step(sql=f"ALTER TABLE {part} DROP CONSTRAINT {name}", joins=True)


def _bound(table: str, bound: str, database: Database) -> str:
    """With that of the table, which may be a partition itself."""
    found = database.ask(_KEY, table=table)
    if not found or found[0].key.startswith("HASH"):
        return ""
    conditions = [found[0].own, _condition(table, found[0].key, bound, database)]
    return " AND ".join(f"({each})" for each in conditions if each) if conditions[-1] else ""


def _rows_of(table: str, bound: str, database: Database) -> str:
    """The condition for its rows; "" where it is not known, or none of them lies in the default partition."""
    found = database.ask(_DEFAULT, table=table)
    belongs = _condition(table, found[0].key, bound, database) if found else ""
    there = belongs and database.ask(f"SELECT 1 FROM {found[0].sql} WHERE {belongs} LIMIT 1".replace(":", r"\:"))
    return belongs if there else ""


def _condition(table: str, key: str, bound: str, database: Database) -> str:
    """What PostgreSQL makes of a bound; "" where it makes nothing of it, or none is given."""
    if not bound.upper().startswith("FOR VALUES"):
        return ""
    with database.scratch() as connection:
        try:
            connection.execute(verbatim(f"CREATE TABLE {_PARENT} (LIKE {table}) PARTITION BY {key}"))
            connection.execute(verbatim(f"CREATE TABLE {_PART} PARTITION OF {_PARENT} {bound}"))
            query = f"SELECT pg_get_partition_constraintdef('{_PART}'::regclass)"
            return str(connection.exec_driver_sql(query).scalar() or "")
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return ""  # PostgreSQL says the same of the statement itself


def _steps(table: str, part: str, belongs: str, sql: str, database: Database) -> Iterator[Step]:
    (default,) = database.ask(_DEFAULT, table=table)
    moved = f"DELETE FROM {default.sql} WHERE {belongs} RETURNING {default.columns}"
    move = (
        f"WITH moved AS ({moved}) INSERT INTO {part} ({default.columns}) OVERRIDING SYSTEM VALUE"
        f" SELECT {default.columns} FROM moved"
    )
    hanging = default.referred or default.triggers
    why = "foreign keys or triggers hang on" if hanging else f"more than {_FEW} are moved at once from"
    in_the_way = Obstacle(
        what=f"the partition {part} of {table}",
        found=f"its rows lie in the default partition {default.sql}, and {why} that",
        select=f"SELECT {default.columns} FROM {default.sql} WHERE {belongs} OFFSET {0 if hanging else _FEW}",
        remedy=f"Move them in the revision, on the line before, if whoever uses {table} may wait so long:\n{move}",
    )
    lock = f"LOCK TABLE {default.sql} IN SHARE ROW EXCLUSIVE MODE"
    yield Step(sql=lock, obstacle=in_the_way, with_next=True)
    yield Step(sql=move, with_next=True)
    yield Step(sql=sql)
