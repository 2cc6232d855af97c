"""How much memory and how many workers the build of an index gets, by an estimate of its size.

A B-tree is sorted in `maintenance_work_mem`, and an HNSW graph that does not fit into it is built several times slower
(pgvector 0.8). The server's own setting is only ever raised, up to the policy's limit, and for this build alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Index, Row

from alembic_online.recipes.database import Database
from alembic_online.recipes.expressions import column_names, is_expression
from alembic_online.recipes.names import quoted, table_name
from alembic_online.recipes.step import Step
from alembic_online.runtime.table_facts import TableFacts

_MB = 1024 * 1024
_PAGE = 8192  # bytes
_UNKNOWN_WIDTH = 32  # bytes, what PostgreSQL too assumes of a type of any length
_ROOM = 1.2  # of the estimate
_COLUMNS = """
    SELECT a.attname, t.typname, a.atttypmod,
           coalesce(max(s.avg_width), nullif(a.attlen, -1)) AS width
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_stats s ON s.schemaname = c.relnamespace::regnamespace::text AND s.tablename = c.relname
                        AND s.attname = a.attname
    WHERE a.attrelid = to_regclass(:table) AND a.attname = ANY (:columns)
    GROUP BY a.attname, t.typname, a.atttypmod, a.attlen
"""
_SETTINGS = """
    SELECT pg_size_bytes(current_setting('maintenance_work_mem')) AS memory,
           current_setting('max_parallel_maintenance_workers')::int AS workers
"""
_LARGEST = """
    SELECT coalesce(max(pg_relation_size(indexrelid)), 0)::bigint AS bytes FROM pg_index
    WHERE indrelid = to_regclass(:table)
"""
_BYTES_OF_ELEMENT = {"vector": 4, "halfvec": 2}  # of pgvector's types, whose modifier is the number of elements


@dataclass(frozen=True)
class Build:
    """The settings around a build, and what is said of it."""

    before: Sequence[Step] = ()
    after: Sequence[Step] = ()
    says: str = ""


def plan_build(index: Index, facts: TableFacts | None, database: Database) -> Build:
    """Settings by the estimate; for a script, where nothing can be estimated, the server's own."""
    if facts is None:
        return Build()
    size = _estimate(index, facts, database)
    rows = "of unknown number" if facts.rows is None else f"about {facts.rows:,}"
    about = f"about {size / _MB:,.0f} MB" if size else "of unknown size"
    return _build(f"Building {quoted(str(index.name))} on {facts.name}: rows {rows}, the index {about}", size, database)


def built_again(table: str, steps: Iterable[Step], database: Database) -> Iterator[Step]:
    """`steps`, which make indexes like those that `table` has, with the settings for the largest of them."""
    (largest,) = database.ask(_LARGEST, table=table)
    what = f"Building indexes like those of {table}, the largest about {largest.bytes / _MB:,.0f} MB"
    build = _build(what, largest.bytes, database)
    yield from build.before
    for number, step in enumerate(steps):
        yield step if number else replace(step, says=build.says)
    yield from build.after


def _build(what: str, size: float, database: Database) -> Build:
    server = database.ask(_SETTINGS)[0]
    memory = min(
        max(int(size * _ROOM), server.memory), max(int(database.policy.index_memory_megabytes * _MB), server.memory)
    )
    workers = int(database.policy.index_workers)
    wanted = {"maintenance_work_mem": f"'{memory // 1024}kB'"} if memory > server.memory else {}
    if workers != server.workers:
        wanted["max_parallel_maintenance_workers"] = str(workers)
    before = [Step(sql=f"SET {name} = {value}") for name, value in wanted.items()]
    after = [Step(sql=f"RESET {name}") for name in wanted]
    says = f"{what}, with {memory / _MB:,.0f} MB of memory and up to {workers} parallel workers"
    return Build(before, after, says)


def _estimate(index: Index, facts: TableFacts, database: Database) -> float:
    """Bytes of the whole index; 0 where it is not known."""
    assert index.table is not None
    method = (index.dialect_options["postgresql"]["using"] or "btree").lower()
    if facts.rows is None or method not in ("btree", "hash", "hnsw", "ivfflat"):
        return 0
    columns = database.ask(_COLUMNS, table=table_name(index.table), columns=column_names(index))
    width = sum(map(_width, columns)) + _UNKNOWN_WIDTH * sum(map(is_expression, index.expressions))
    if method == "hnsw":
        # An element with its vector, and the lists of its neighbours; none goes over the end of a page.
        links = 12 * int(index.dialect_options["postgresql"]["with"].get("m", 16))
        width += 100 + links
        width = _PAGE if width > _PAGE // 2 else width
    return facts.rows * (width + 16) * 1.1


def _width(column: Row[Any]) -> int:
    if column.typname in _BYTES_OF_ELEMENT and column.atttypmod > 0:
        return int(column.atttypmod) * _BYTES_OF_ELEMENT[column.typname] + 8
    return int(column.width or _UNKNOWN_WIDTH)
