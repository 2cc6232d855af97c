"""ADD CHECK: NOT VALID at once (ACCESS EXCLUSIVE for an instant), then VALIDATE, which blocks nobody.

VALIDATE takes SHARE UPDATE EXCLUSIVE. It must be a transaction of its own: the lock of ADD would be held through it
(PostgreSQL 16 to 18).
"""

from collections.abc import Iterator

from sqlalchemy.schema import AddConstraint, CheckConstraint

from alembic_online.recipes.constraint import named, not_valid_first, obstacle_columns
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import ddl, expression, formatted_constraint_name, table_name
from alembic_online.recipes.precheck import Obstacle
from alembic_online.recipes.step import OnlineChange, Step

_NEWEST = """
    SELECT quote_ident(conname) AS name FROM pg_constraint
    WHERE conrelid = to_regclass(:table) AND contype = 'c' AND NOT convalidated ORDER BY oid DESC LIMIT 1
"""


def add_check(construct: AddConstraint, database: Database) -> OnlineChange | None:
    """NOT VALID, then VALIDATE; None for one that is to stay NOT VALID, or that a script could not name."""
    constraint = construct.element
    assert isinstance(constraint, CheckConstraint)
    if constraint.dialect_options["postgresql"]["not_valid"]:
        return None
    if not database.is_known and formatted_constraint_name(constraint) is None:
        return None  # a script could not validate what has no name yet
    return OnlineChange(table_name(constraint.table), _steps(construct, constraint, database))


def _steps(construct: AddConstraint, constraint: CheckConstraint, database: Database) -> Iterator[Step]:
    table = table_name(constraint.table)
    name = formatted_constraint_name(constraint)
    columns = obstacle_columns(table, database)
    in_the_way = Obstacle(
        what=f"{name or 'the new check'} on {table}",
        found="rows that break it",
        select=f"SELECT {columns} FROM {table} WHERE NOT ({expression(constraint.sqltext)})",
    )
    constraint.dialect_options["postgresql"]["not_valid"] = True
    if name is not None:
        yield from not_valid_first(lambda new: _add(construct, new), table, name, in_the_way, database)
        return
    yield Step(sql=ddl(construct), obstacle=in_the_way)
    # Whether PostgreSQL puts a column into the name depends on how many the condition has.
    name = database.recall(f"the new check of {table}", lambda: str(database.ask(_NEWEST, table=table)[0].name))
    yield Step(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _add(construct: AddConstraint, name: str) -> str:
    named(construct.element, name)
    return ddl(construct)
