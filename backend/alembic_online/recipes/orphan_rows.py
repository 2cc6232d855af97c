"""Rows that a foreign key would find referring to nothing, looked for before it is validated."""

from collections.abc import Iterable

from alembic_online.recipes.precheck import Obstacle


def orphans(table: str, parent: str, constraint: str, pairs: Iterable[tuple[str, str]]) -> Obstacle:
    """The rows of `table` that `constraint` would refuse, by MATCH SIMPLE: a NULL refers to nothing and is allowed.

    Every name is quoted where it must be; `pairs` are a column of `table` and the one of `parent` that it refers to.
    """
    pairs = list(pairs)
    columns = ", ".join(f"child.{own}" for own, _ in pairs)
    present = " AND ".join(f"child.{own} IS NOT NULL" for own, _ in pairs)
    same = " AND ".join(f"parent.{their} = child.{own}" for own, their in pairs)
    return Obstacle(
        what=f"{constraint} on {table}",
        found=f"rows that refer to nothing in {parent}",
        select=f"SELECT {columns} FROM {table} AS child WHERE {present}"
        f" AND NOT EXISTS (SELECT FROM {parent} AS parent WHERE {same})",
    )
