"""A column that is rebuilt beside the old one, for changes that would rewrite the table under the strongest lock.

column.py   the old column and all that hangs on it, as the catalogue has it
recreate_dependents.py  the same for the new column: indexes and statistics
constraints.py  its CHECKs and foreign keys;  not_null.py
foreign_keys.py  those that refer to partitions: they change hands in the swap
concurrent_ddl_check.py  what others make meanwhile is found before the swap
materialized.py  materialized views on it
publications.py  no subscriber sees the new column before the swap
change_capture.py  keeps the new column in step with the old one
cutover.py  the short transaction in which the one takes the place of the other
steps.py    all of it in order
"""

from alembic_online.recipes.shadow_column.steps import shadow_column

__all__ = ["shadow_column"]
