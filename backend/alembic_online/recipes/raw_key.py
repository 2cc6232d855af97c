"""A key in SQL written by hand, as the constraint that it means: `ADD [CONSTRAINT c] UNIQUE | PRIMARY KEY (...) ...`.

So does autogenerate write what Alembic has no words for: DEFERRABLE, INCLUDE.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint

from alembic_online.postgres.locks.reader import Reader
from alembic_online.recipes.names import folded

_MOMENTS = {"DEFERRABLE": {"deferrable": True}, "NOT DEFERRABLE": {"deferrable": False}}
_MOMENTS |= {f"INITIALLY {each}": {"initially": each} for each in ("DEFERRED", "IMMEDIATE")}  # type: ignore[dict-item]


def written_key(action: Reader, table: Sequence[str], name: str) -> UniqueConstraint | PrimaryKeyConstraint | None:
    """What follows the name, if it is a key with nothing but what an index can have; names as SQL writes them."""
    kind = action.accept_any("UNIQUE", "PRIMARY KEY")
    nulls = action.accept_any("NULLS NOT DISTINCT", "NULLS DISTINCT") if kind == "UNIQUE" else None
    columns = _listed(action)
    included = _listed(action) if action.accept("INCLUDE") else []
    moments: dict[str, object] = {}
    while (words := action.accept_any(*_MOMENTS)) is not None:
        moments |= _MOMENTS[words]
    if kind is None or not columns or not action.done:  # WITHOUT OVERLAPS is no index's (PostgreSQL 18)
        return None
    if moments.get("initially") == "DEFERRED":
        moments["deferrable"] = True
    *schema, own = map(folded, table)
    given = {"postgresql_include": included} if included else {}
    if nulls == "NULLS NOT DISTINCT":
        given["postgresql_nulls_not_distinct"] = True  # type: ignore[assignment]
    key = UniqueConstraint if kind == "UNIQUE" else PrimaryKeyConstraint
    constraint = key(*columns, name=folded(name) if name else None, **moments, **given)  # type: ignore[arg-type]
    every: list[Column[Any]] = [Column(each) for each in dict.fromkeys([*columns, *included])]
    Table(own, MetaData(), *every, constraint, schema=schema[0] if schema else None)
    return constraint


def _listed(reader: Reader) -> list[str]:
    """The columns in parentheses; none where one is more than a name."""
    found = []
    for each in reader.parentheses().split():
        name = each.name()
        if not name or not each.done:
            return []
        found.append(folded(name))
    return found
