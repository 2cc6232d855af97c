"""The statements that the application really sends, and what PostgreSQL would do for them."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
import psycopg
from fastapi import FastAPI
from pgvector import Vector
from sqlalchemy import event

from src.db.hot_query import HotQuery, Reader

Plan = dict[str, Any]
Statement = tuple[str, tuple[Any, ...]]

BIG = {
    "users",
    "user_profiles",
    "chapters",
    "translations",
    "chapter_progress",
    "chat_messages",
    "capstone_submissions",
    "embeddings",
}
PAGE = 101
"""Rows that the longest page fetches, to see whether another one follows."""


@dataclass
class Recorder:
    """Notes every statement with its parameters; a `Reader` that asks another one."""

    reader: Reader
    statements: list[Statement] = field(default_factory=list)

    async def row(self, query: HotQuery, **values: Any) -> Sequence[Any] | None:
        self._note(query.text, query.arguments(values))
        return await self.reader.row(query, **values)

    async def rows(self, query: HotQuery, **values: Any) -> Sequence[Sequence[Any]]:
        self._note(query.text, query.arguments(values))
        return await self.reader.rows(query, **values)

    async def value(self, query: HotQuery, **values: Any) -> Any:
        self._note(query.text, query.arguments(values))
        return await self.reader.value(query, **values)

    def connections(self) -> tuple[int, int]:
        return self.reader.connections()

    def note(self, _connection: object, _cursor: object, text: str, parameters: Any, *_: object) -> None:
        """For SQLAlchemy's event."""
        self._note(text, parameters)

    def take(self) -> list[Statement]:
        """What was sent since the last time."""
        taken, self.statements = self.statements, []
        return taken

    def _note(self, text: str, parameters: Sequence[Any]) -> None:
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", text):
            self.statements.append((text, tuple(map(_plain, parameters or ()))))


def _plain(value: Any) -> Any:
    """As a connection without a codec takes it."""
    return value.to_text() if isinstance(value, Vector) else value


def record(app: FastAPI) -> Recorder:
    """Listen to all that the started application sends."""
    recorder = Recorder(app.state.resources.reader)
    app.state.resources = replace(app.state.resources, reader=recorder)
    event.listen(app.state.resources.engine.sync_engine, "before_cursor_execute", recorder.note)
    return recorder


async def plans(url: str, statement: Statement) -> list[tuple[str, Plan]]:
    """The plan for these parameters, executed and undone; and the one for any, which a prepared statement gets."""
    text, parameters = statement
    connection = await asyncpg.connect(url)
    try:
        undone = connection.transaction()
        await undone.start()
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}", *parameters)
        await undone.rollback()
    finally:
        await connection.close()
    with psycopg.connect(url, autocommit=True) as anybody:
        generic = anybody.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {text}".encode()).fetchall()[0][0]
    return [("custom", json.loads(explained)[0]["Plan"]), ("generic", generic[0]["Plan"])]


async def reached(url: str, statement: Statement, before: str = "") -> dict[str, tuple[int, int]]:
    """By table, how often the statement reads all of it and how many rows it removes; it is executed and undone.

    Of what PostgreSQL does for foreign keys no plan tells; its counters do. `before` is done first, and undone too.
    """
    text, parameters = statement
    connection = await asyncpg.connect(url)
    try:
        undone = connection.transaction()
        await undone.start()
        if before:
            await connection.execute(before)
        counted = "SELECT relname, seq_scan, n_tup_del FROM pg_stat_xact_user_tables"
        earlier = {row["relname"]: row["seq_scan"] for row in await connection.fetch(counted)}
        await connection.execute(text, *parameters)
        rows = [tuple(row) for row in await connection.fetch(counted)]
        await undone.rollback()
    finally:
        await connection.close()
    return {name: (scans - earlier.get(name, 0), removed) for name, scans, removed in rows if name in BIG}


def faults(plan: Plan, page: int = PAGE) -> Iterator[str]:
    """A scan of a big table, and a sort of more rows than a page has; not in a branch that is not taken."""
    if plan.get("Actual Loops") == 0 or ("One-Time Filter" in plan and "Actual Loops" not in plan):
        return
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in BIG:
        yield f"reads all of {plan['Relation Name']}"
    # What goes in, for of that it may give out only the first few.
    if plan["Node Type"] == "Sort" and (count := plan["Plans"][0].get("Actual Rows", 0)) > page:
        yield f"sorts {count:.0f} rows"
    for below in plan.get("Plans", ()):
        yield from faults(below, page)
