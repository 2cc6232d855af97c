"""SET NOT NULL without a scan under its lock.

From PostgreSQL 18 a NOT NULL can be NOT VALID itself: ADD CONSTRAINT ... NOT NULL c NOT VALID, then VALIDATE. Up to 17
a CHECK (c IS NOT NULL) is added NOT VALID and validated; SET NOT NULL finds it and does not scan; then it goes.
"""

from alembic.ddl.base import ColumnNullable

from src.safety.online.constraint import obstacle_columns
from src.safety.online.database import Database
from src.safety.online.free_name import free_constraint_name
from src.safety.online.names import qualified, quoted
from src.safety.online.obstacle import Obstacle
from src.safety.online.step import OnlineChange, Step, Steps

_IS_VALID = """
    SELECT a.attnotnull AND NOT EXISTS (
        SELECT FROM pg_constraint k
        WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated
    ) AS done
    FROM pg_attribute a WHERE a.attrelid = to_regclass(:table) AND a.attname = :column
"""


def alter_nullable(construct: ColumnNullable, database: Database) -> OnlineChange | None:
    """NOT NULL in steps; DROP NOT NULL takes but an instant."""
    if construct.nullable:
        return None
    table = qualified(construct.table_name, construct.schema)
    return OnlineChange(table, set_not_null(table, construct.table_name, construct.column_name, database))


def set_not_null(table: str, plain_table: str, column: str, database: Database) -> Steps:
    """The steps for one column of `table`; none where it is NOT NULL already."""
    found = database.recall_whether(f"{table}.{column} is not null", lambda: _is_valid(table, column, database))
    if found:
        return
    # PostgreSQL's own name for the constraint; from 18 on the CHECK must leave it free.
    label = "not_null" if database.version >= 18 else "not_null_check"
    name = quoted(free_constraint_name(plain_table, column, label, table, database))
    in_the_way = Obstacle(
        what=f"NOT NULL on {table}.{quoted(column)}",
        found="rows without a value",
        select=f"SELECT {obstacle_columns(table, database)} FROM {table} WHERE {quoted(column)} IS NULL",
    )
    condition = f"NOT NULL {quoted(column)}" if database.version >= 18 else f"CHECK ({quoted(column)} IS NOT NULL)"
    yield Step(sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} {condition} NOT VALID", obstacle=in_the_way)
    yield Step(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    if database.version < 18:
        yield Step(sql=f"ALTER TABLE {table} ALTER COLUMN {quoted(column)} SET NOT NULL")
        yield Step(sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def _is_valid(table: str, column: str, database: Database) -> bool:
    return any(row.done for row in database.ask(_IS_VALID, table=table, column=column))
