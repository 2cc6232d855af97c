"""Values that a unique index would refuse, looked for before it is built: after an hour's build it says so too."""

from sqlalchemy import Index
from sqlalchemy.sql import coercions, roles

from src.safety.online.expressions import parts
from src.safety.online.names import expression, quoted, table_name
from src.safety.online.obstacle import Obstacle


def duplicates(index: Index) -> Obstacle:
    """What is in the way of a unique index. NULLs are distinct, unless the index says that they are not."""
    assert index.table is not None
    options, keys = index.dialect_options["postgresql"], parts(index)
    conditions = [] if options["nulls_not_distinct"] else [f"{key} IS NOT NULL" for key in keys]
    if (where := options["where"]) is not None:
        conditions.append(f"({expression(coercions.expect(roles.DDLExpressionRole, where))})")
    numbers = ", ".join(str(number) for number in range(1, len(keys) + 1))
    return Obstacle(
        what=f"{quoted(str(index.name))} on {table_name(index.table)}",
        found="values that occur more than once",
        select=f"SELECT {', '.join(keys)}, count(*) AS times FROM {table_name(index.table)}"
        f"{' WHERE ' if conditions else ''}{' AND '.join(conditions)} GROUP BY {numbers} HAVING count(*) > 1",
    )
