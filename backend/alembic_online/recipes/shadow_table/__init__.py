"""A table that is rebuilt beside the old one, for changes that can only be made to a table without rows.

source_table.py      the old table as the catalogue has it, and what cannot be rebuilt
create_like.py       the statements that make the new one like it, without rows
recreate_indexes.py  its indexes, constraints and statistics, made when the rows are there
change_capture.py    the keys that anybody writes meanwhile are noted, and what has changed is copied again
cutover.py           the short transaction in which the new one takes the place of the old
steps.py             all of it in order

The new table lives in a schema of its own until the swap, so that everything that belongs to it has its final name from
the beginning. Nothing of the old one is left: it is dropped in the swap, without CASCADE, so that whatever else should
hang on it stops the swap, and is not lost.
"""

from alembic_online.recipes.shadow_table.steps import shadow_table

__all__ = ["shadow_table"]
