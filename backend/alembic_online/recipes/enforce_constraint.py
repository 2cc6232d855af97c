"""ALTER CONSTRAINT ... ENFORCED (PostgreSQL 18): it would hold every row against the rule under ACCESS EXCLUSIVE.

Only a foreign key can be enforced afterwards (PostgreSQL 18). In one transaction it is dropped, which takes no rule
away, and added again NOT VALID. From then on each new row is held against it. Then it is validated.

A second one beside it is no way: on a table with partitions PostgreSQL takes none that is enforced beside one that is
not.
"""

import json
from collections.abc import Iterator
from typing import Any

from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, quoted
from alembic_online.recipes.orphan_rows import orphans
from alembic_online.recipes.recreate_foreign_keys import parts_of
from alembic_online.recipes.step import OnlineChange, Step

_NOT_ENFORCED = """
    SELECT k.conname::text AS name, pg_get_constraintdef(k.oid) AS definition, k.confrelid::regclass::text AS parent,
           obj_description(k.oid, 'pg_constraint') AS comment, c.relkind = 'p' AS of_parts,
           (SELECT json_agg(json_build_array(quote_ident(a.attname), quote_ident(b.attname)))
            FROM unnest(k.conkey, k.confkey) AS pair (own, their)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = own
            JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = their)::text AS pairs
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.conrelid = to_regclass(:table) AND k.conname = :name AND k.contype = 'f' AND k.confmatchtype = 's'
      AND NOT (to_jsonb(k) ->> 'conenforced')::boolean AND NOT (to_jsonb(k) ->> 'conperiod')::boolean
"""


def enforce(table: str, name: str, database: Database) -> OnlineChange | None:
    """The online way of `ALTER TABLE table ALTER CONSTRAINT name ENFORCED`; None where it is so already."""
    if database.version < 18:
        return None
    found = database.recall(f"{name} on {table} is not enforced", lambda: _read(table, name, database))
    return OnlineChange(table, _steps(table, json.loads(found))) if found else None


def _read(table: str, name: str, database: Database) -> str:
    rows = database.ask(_NOT_ENFORCED, table=table, name=name)
    if not rows:
        return ""
    parts = [[each.table, each.name] for each in parts_of(table, name, database)] if rows[0].of_parts else []
    return json.dumps({**rows[0]._mapping, "parts": parts})


def _steps(table: str, found: dict[str, Any]) -> Iterator[Step]:
    name = quoted(found["name"])
    definition = found["definition"].removesuffix(" NOT ENFORCED").removesuffix(" NOT VALID")
    others = [
        # Those of the partitions come under the name of the whole.
        f"ALTER TABLE {part} RENAME CONSTRAINT {name} TO {quoted(its)}"
        for part, its in found["parts"]
        if its != found["name"]
    ]
    if found["comment"] is not None:
        others.append(f"COMMENT ON CONSTRAINT {name} ON {table} IS {literal(found['comment'])}")
    add = f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"
    in_the_way = orphans(table, found["parent"], quoted(found["name"]), json.loads(found["pairs"]))
    yield Step(sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}", obstacle=in_the_way, with_next=True)
    yield Step(sql=add, with_next=bool(others))
    yield from (Step(sql=sql, with_next=number < len(others)) for number, sql in enumerate(others, start=1))
    yield Step(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
