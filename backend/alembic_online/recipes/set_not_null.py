"""SET NOT NULL without a scan under its lock.

From PostgreSQL 18 a NOT NULL can be NOT VALID itself: ADD CONSTRAINT ... NOT NULL c NOT VALID, then VALIDATE. Up to 17
a CHECK (c IS NOT NULL) is added NOT VALID and validated; SET NOT NULL finds it and does not scan; then it goes.
"""

from alembic.ddl.base import ColumnNullable

from alembic_online.recipes.constraint import obstacle_columns
from alembic_online.recipes.database import Database
from alembic_online.recipes.generated_names import free_constraint_name
from alembic_online.recipes.names import qualified, quoted
from alembic_online.recipes.precheck import Obstacle
from alembic_online.recipes.step import OnlineChange, Step, Steps

_FAMILY = """
    WITH RECURSIVE family AS (
        SELECT to_regclass(:table)::oid AS oid, 0 AS depth
        UNION ALL SELECT inhrelid, depth + 1 FROM pg_inherits JOIN family ON inhparent = oid
    )
"""
# Of the table itself; of all below it, and of it, the constraints that are NOT VALID come in the next query.
_IS_NOT_NULL = "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attname = :column AND attnotnull"
# SET NOT NULL of a table does not look at those of its partitions (`ATExecSetNotNull`, PostgreSQL 18).
_NOT_VALID = f"""
    {_FAMILY}
    SELECT k.conrelid::regclass::text AS "table", quote_ident(k.conname) AS name
    FROM family JOIN pg_constraint k ON k.conrelid = family.oid
    JOIN pg_attribute a ON a.attrelid = family.oid AND k.conkey = ARRAY[a.attnum]
    WHERE k.contype = 'n' AND NOT k.convalidated AND a.attname = :column ORDER BY depth DESC, 1
"""


def alter_nullable(construct: ColumnNullable, database: Database) -> OnlineChange | None:
    """NOT NULL in steps; DROP NOT NULL takes but an instant."""
    if construct.nullable:
        return None
    table = qualified(construct.table_name, construct.schema)
    return not_null(table, construct.table_name, construct.column_name, database)


def not_null(table: str, plain_table: str, column: str, database: Database) -> OnlineChange:
    """NOT NULL in steps, whatever the size of the table where PostgreSQL would not look at all rows."""
    partly = bool(database.ask(_NOT_VALID, table=table, column=column))
    return OnlineChange(table, set_not_null(table, plain_table, column, database), always=partly)


def set_not_null(table: str, plain_table: str, column: str, database: Database) -> Steps:
    """The steps for one column of `table`; none where it is NOT NULL already."""
    found = database.recall_whether(f"{table}.{column} is not null", lambda: is_not_null(table, column, database))
    if found:
        return
    in_the_way = Obstacle(
        what=f"NOT NULL on {table}.{quoted(column)}",
        found="rows without a value",
        select=f"SELECT {obstacle_columns(table, database)} FROM {table} WHERE {quoted(column)} IS NULL",
    )
    for each in database.ask(_NOT_VALID, table=table, column=column):
        yield Step(sql=f"ALTER TABLE {each.table} VALIDATE CONSTRAINT {each.name}", obstacle=in_the_way)
    if database.version >= 18 and database.ask(_IS_NOT_NULL, table=table, column=column):
        return
    # PostgreSQL's own name for the constraint; from 18 on the CHECK must leave it free.
    label = "not_null" if database.version >= 18 else "not_null_check"
    name = quoted(free_constraint_name(plain_table, column, label, table, database))
    condition = f"NOT NULL {quoted(column)}" if database.version >= 18 else f"CHECK ({quoted(column)} IS NOT NULL)"
    yield Step(sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} {condition} NOT VALID", obstacle=in_the_way)
    yield Step(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    if database.version < 18:
        yield Step(sql=f"ALTER TABLE {table} ALTER COLUMN {quoted(column)} SET NOT NULL")
        yield Step(sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def is_not_null(table: str, column: str, database: Database) -> bool:
    """Whether the column is so already, and all rows are known to be."""
    given = {"table": table, "column": column}
    return bool(database.ask(_IS_NOT_NULL, **given)) and not database.ask(_NOT_VALID, **given)
