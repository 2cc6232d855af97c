"""Foreign keys that refer by the old column to a table with partitions: they change hands in the swap.

What they need, a unique constraint over all partitions, is there only at the end of it: PostgreSQL has no USING INDEX
for it (16 to 18).
"""

from alembic_online.recipes.database import Database
from alembic_online.recipes.recreate_foreign_keys import COLUMNS, ForeignKeys, recreated
from alembic_online.recipes.shadow_column.column import OldColumn

_REFERRING = f"""
    SELECT {COLUMNS} FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = to_regclass(:table) AND :number = ANY (k.confkey)
    ORDER BY 1, k.conname
"""


def foreign_keys(database: Database, column: OldColumn) -> ForeignKeys:
    """Of all that refer to the table, or to a partition that has partitions."""
    rows = (
        row
        for each in column.family
        if each.partitioned
        for row in database.ask(_REFERRING, table=each.table, number=each.number)
        if not database.cut_over.drops("constraint", row.table, row.name)
    )
    return recreated(rows, database)
