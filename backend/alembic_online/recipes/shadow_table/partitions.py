"""The partitions of a table rebuilt, each beside the old one, and all swapped in one short transaction.

The table itself stays, with all that hangs on it: for the instant in which it has no partitions there are no rows to
rewrite, and it is changed; then the new ones are attached. A CHECK that each has from the beginning tells PostgreSQL
which rows it holds, so that nothing is read (`PartConstraintImpliedByRelConstraint`, PostgreSQL 16 to 18), and their
indexes become parts of those of the table.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from alembic_online.recipes.changed_meanwhile import fails_unless
from alembic_online.recipes.database import Database
from alembic_online.recipes.dependents import dependents_of_tables
from alembic_online.recipes.names import literal, quoted, temporary
from alembic_online.recipes.shadow_table.change_capture import TRIGGERS
from alembic_online.recipes.shadow_table.copy import Copy, carried_out, plan_copy
from alembic_online.recipes.shadow_table.cutover import plan_swap, swapped
from alembic_online.recipes.shadow_table.foreign_keys import foreign_keys
from alembic_online.recipes.shadow_table.source_table import NOTHING, cannot, read_table
from alembic_online.recipes.step import Step, Steps

_CHECK = quoted(temporary("partition"))
_FAMILY = """
    WITH RECURSIVE family AS (
        SELECT to_regclass({table})::oid AS oid, NULL::oid AS parent, ARRAY[]::boolean[] AS defaults
        UNION ALL SELECT c.oid, i.inhparent, f.defaults || (pg_get_expr(relpartbound, c.oid) = 'DEFAULT')
        FROM family f JOIN pg_inherits i ON i.inhparent = f.oid JOIN pg_class c ON c.oid = i.inhrelid
    )
"""
# Default partitions come last, with all that is below them: PostgreSQL looks for rows in one that belong to a new one.
_PARTITIONS = f"""
    {_FAMILY.format(table=":table")}
    SELECT c.oid::regclass::text AS sql, c.relkind = 'p' AS partitioned, n.nspname::text AS schema,
           relname::text AS name, parent::regclass::text AS parent,
           pg_get_expr(relpartbound, c.oid) AS bound, pg_get_partition_constraintdef(c.oid) AS rows
    FROM family JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE parent IS NOT NULL ORDER BY defaults, c.oid::regclass::text
"""
_SEEN = f"""
    {_FAMILY}
    SELECT md5(string_agg(oid::text, ' ' ORDER BY oid)) FROM family
"""
GENERATED = """
    SELECT coalesce(string_agg(format('%I AS %s', attname, pg_get_expr(adbin, adrelid)), ', ' ORDER BY attnum), 'none')
    FROM pg_attribute JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = to_regclass(:table) AND attgenerated <> '' AND NOT attisdropped
"""


def rebuilt_partitions(
    table: str, change: str, database: Database, computed: Mapping[str, str] = NOTHING, mark: str = GENERATED
) -> Steps:
    """The online way of `ALTER TABLE table change` for a partitioned table.

    Raises `RevisionFailed` where one of the partitions cannot be rebuilt.
    """
    ((there,),) = database.ask(mark, table=table)
    after = f"after the swap of the partitions of {table} to {change}"
    if database.recall(f"what {table} had before: {change}", lambda: str(there)) != there:
        # An earlier try has swapped them.
        yield from (Step(sql=statement) for statement in json.loads(database.recall(after, lambda: "[]")))
        return
    ((seen,),) = database.ask(_SEEN.format(table=":table"), table=table)
    rows = database.ask(_PARTITIONS, table=table)
    leaves = [row for row in rows if not row.partitioned]
    others = dependents_of_tables(database, _names(leaves)).others
    if others:
        raise cannot(f"the partitions of {table}", change, others)
    copies = [_copy(row, change, computed, database) for row in leaves]
    yield from _forgotten(table, change, copies, database)
    for copy in copies:
        yield from carried_out(copy, database)
    keys = foreign_keys(database, [table, *(row.sql for row in rows)])
    dependents = dependents_of_tables(database, _names(leaves), ignored=TRIGGERS)
    attached = [f"ALTER TABLE {table} {change}", *_attached(rows)]
    swap = plan_swap(
        copies, keys, dependents, database, table=table, first=_refuse_unless(seen, table), change=attached
    )
    database.recall(after, lambda: json.dumps(keys.after))  # which is kept when the swap is committed, and not before
    yield from swapped(swap)


def _copy(row: Row[Any], change: str, computed: Mapping[str, str], database: Database) -> Copy:
    def plan() -> str:
        old = read_table(database, row.sql, change, computed, whole=True)
        check = [f"ALTER TABLE {old.new} ADD CONSTRAINT {_CHECK} CHECK ({row.rows})"] if row.rows else []
        return plan_copy(old, change, database, check).as_text()

    return Copy.from_text(database.recall(f"new partition for {row.sql} to {change}", plan))


def _forgotten(table: str, change: str, copies: Sequence[Copy], database: Database) -> Iterator[Step]:
    """What was made for partitions that somebody has dropped or detached since."""
    shadows = [copy.old.shadow for copy in copies]
    first = json.loads(database.recall(f"partitions of {table} to {change}", lambda: json.dumps(shadows)))
    for shadow in first:
        if shadow not in shadows:
            yield Step(sql=f"DROP SCHEMA IF EXISTS {shadow} CASCADE")


def _names(leaves: Sequence[Row[Any]]) -> list[tuple[str, str]]:
    return [(row.schema, row.name) for row in leaves]


def _attached(rows: Sequence[Row[Any]]) -> Iterator[str]:
    for row in rows:
        if not row.partitioned:
            yield f"ALTER TABLE {row.parent} ATTACH PARTITION {row.sql} {row.bound}"
    yield from (f"ALTER TABLE {row.sql} DROP CONSTRAINT {_CHECK}" for row in rows if row.rows and not row.partitioned)


def _refuse_unless(seen: str, table: str) -> str:
    """Where somebody has made or dropped a partition since, the revision is begun again."""
    words = f"Somebody has made or dropped partitions of {table} meanwhile"
    return fails_unless(_SEEN.format(table=literal(table)), seen, words)
