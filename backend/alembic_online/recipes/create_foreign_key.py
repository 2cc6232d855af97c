"""ADD FOREIGN KEY: NOT VALID at once, then VALIDATE, which blocks nobody.

The first takes SHARE ROW EXCLUSIVE on both tables for an instant. They are locked in the order of their names, by the
staged locks of the statement guard. The second takes SHARE UPDATE EXCLUSIVE on the one and ROW SHARE on the other.

Up to PostgreSQL 17 a partitioned table takes no foreign key that is NOT VALID. There each partition gets its own first,
and the one of the whole table then adopts them.
"""

from collections.abc import Iterator

from sqlalchemy.schema import AddConstraint, ForeignKeyConstraint

from alembic_online.recipes.constraint import constraint_name, named, not_valid_first
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import ddl, quoted, table_name
from alembic_online.recipes.orphan_rows import orphans
from alembic_online.recipes.precheck import Obstacle
from alembic_online.recipes.step import OnlineChange, Step, Steps


def add_foreign_key(construct: AddConstraint, database: Database) -> OnlineChange | None:
    """NOT VALID, then VALIDATE; None for one that is to stay NOT VALID."""
    constraint = construct.element
    assert isinstance(constraint, ForeignKeyConstraint)
    if constraint.dialect_options["postgresql"]["not_valid"]:
        return None
    return OnlineChange(table_name(constraint.table), _steps(construct, constraint, database))


def _steps(construct: AddConstraint, constraint: ForeignKeyConstraint, database: Database) -> Steps:
    table = table_name(constraint.table)
    columns = "_".join(constraint.column_keys)
    name = constraint_name(constraint, constraint.table.name, columns, "fkey", database)
    in_the_way = _orphans(constraint, name)
    at_once = ddl(construct)
    constraint.dialect_options["postgresql"]["not_valid"] = True
    not_valid = ddl(construct)
    facts = database.table(table)
    if facts is None or not facts.partitioned or database.version >= 18:
        parent = table_name(constraint.elements[0].column.table)

        def add(new: str) -> str:
            named(constraint, new)
            return ddl(construct)

        yield from not_valid_first(add, table, name, in_the_way, database, parent)
        return
    beginning = f"ALTER TABLE {table} "
    for part in database.partitions(table):
        if not part.partitioned:
            of_part = f"ALTER TABLE {part.sql} {not_valid.removeprefix(beginning)}"
            yield from _both(of_part, part.sql, name, in_the_way)
    yield Step(sql=at_once)


def _both(add: str, table: str, name: str, in_the_way: Obstacle | None) -> Iterator[Step]:
    yield Step(sql=add, obstacle=in_the_way)
    yield Step(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _orphans(constraint: ForeignKeyConstraint, name: str) -> Obstacle | None:
    if constraint.match not in (None, "SIMPLE"):
        return None  # VALIDATE itself knows the rules of MATCH FULL
    table, parent = table_name(constraint.table), table_name(constraint.elements[0].column.table)
    pairs = [
        (quoted(str(own)), quoted(each.column.name))
        for own, each in zip(constraint.column_keys, constraint.elements, strict=True)
    ]
    return orphans(table, parent, name, pairs)
