"""An index on a partitioned table: PostgreSQL has no CONCURRENTLY for it (16 to 18), but for each of its partitions.

The index of the partitioned table is made ON ONLY it, which is instant, and is INVALID until every partition has
attached an index of its own; those are built CONCURRENTLY, one after the other. A foreign table has none to attach:
where one is among the partitions, the others get theirs first, and the index of the partitioned table then adopts them.
"""

from sqlalchemy.schema import CreateIndex

from alembic_online.recipes.database import Database
from alembic_online.recipes.duplicates import duplicates
from alembic_online.recipes.expressions import column_names
from alembic_online.recipes.generated_names import free_relation_name
from alembic_online.recipes.names import around_name, literal, qualified, quoted, table_name
from alembic_online.recipes.step import Step, Steps

# What PostgreSQL calls the index's columns, expressions and included ones too, and so what it names parts by.
_COLUMNS = """
    SELECT string_agg(attname, '_' ORDER BY attnum) AS names FROM pg_attribute WHERE attrelid = to_regclass(:index)
"""


def create_partitioned_index(construct: CreateIndex, database: Database) -> Steps:
    """From the top down the frames, each index of a partition then built and attached."""
    index = construct.element
    assert index.table is not None
    table, schema = table_name(index.table), index.table.schema
    obstacle = duplicates(construct, database)
    head, rest = around_name(construct)
    if any(part.foreign for part in database.partitions(table)):
        yield from _adopting(construct, database)
        return
    yield Step(sql=f"{head} {quoted(str(index.name))} ON ONLY {table} {rest}", obstacle=obstacle)
    (top,) = database.ask("SELECT to_regclass(:table)::text AS sql", table=table)
    own = qualified(str(index.name), schema)
    columns = database.recall(f"columns of {own}", lambda: str(database.ask(_COLUMNS, index=own)[0].names))
    above = {top.sql: own}
    for part in database.partitions(table):
        child = free_relation_name(part.name, columns, "idx", part.schema, database)
        name = qualified(child, part.schema)
        only, concurrently = ("ON ONLY", "") if part.partitioned else ("ON", " CONCURRENTLY")
        yield Step(sql=f"{head}{concurrently} {quoted(child)} {only} {part.sql} {rest}")
        yield Step(sql=f"ALTER INDEX {above[part.parent]} ATTACH PARTITION {name}", unless=is_attached(name))
        above[part.sql] = name


def _adopting(construct: CreateIndex, database: Database) -> Steps:
    index = construct.element
    assert index.table is not None
    table, own = table_name(index.table), str(index.name)
    head, rest = around_name(construct)
    for part in database.partitions(table):
        if not part.partitioned and not part.foreign:
            name = free_relation_name(part.name, "_".join(column_names(index)), "idx", part.schema, database)
            yield Step(sql=f"{head} CONCURRENTLY {quoted(name)} ON {part.sql} {rest}")
    yield Step(sql=f"{head} {quoted(own)} ON {table} {rest}")


def is_attached(name: str) -> str:
    """SQL that says whether the index of a partition belongs to one of the table above."""
    return f"SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass({literal(name)}))"
