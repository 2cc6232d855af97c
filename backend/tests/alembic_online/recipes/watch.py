"""Who watches a migration from outside, before each of its statements, on whichever of its connections."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import Engine, event

_ITS_OWN = re.compile(
    r"\s*(ALTER|CREATE|DROP|LOCK|DO|COMMENT|GRANT|REVOKE|TRUNCATE|REINDEX|COMMIT|SELECT setval)\b", re.IGNORECASE
)
# The tables that somebody locks strongly, and what is the same until a transaction that writes begins or ends.
_NOW = """
    SELECT pg_current_snapshot()::text, ARRAY(SELECT DISTINCT c.relname::text
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.granted
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    AND l.pid <> pg_backend_pid() AND c.relname = ANY (%s)
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
# Another answer when a change of the schema has been committed.
_SCHEMA = "SELECT " + ", ".join(
    f"(SELECT concat(count(*), max(xmin::text::bigint)) FROM {table})"
    for table in (
        "pg_class",
        "pg_attribute",
        "pg_attrdef",
        "pg_constraint",
        "pg_index",
        "pg_rewrite",
        "pg_enum",
        "pg_trigger",
        "pg_policy",
    )
)


@dataclass
class Watch:
    """`old_code` is what clients go on to run, each statement by itself; `tables` are those that they use."""

    session: psycopg.Connection[Any]
    tables: Sequence[str]
    old_code: Sequence[str] = ()
    beside: list[str] = field(default_factory=list)
    """What was asked while a strong lock on one of the tables was held."""
    failures: dict[str, str] = field(default_factory=dict)
    """What the old code could not do in some state between two commits, and the statement that came next."""
    looks: int = 0
    _snapshot: str = ""
    _schema: list[Any] = field(default_factory=list)

    def look(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.looks += 1
        [(snapshot, locked)] = self.session.execute(_NOW, [list(self.tables)]).fetchall()
        if locked and not _ITS_OWN.match(statement):
            self.beside.append(f"{' '.join(statement.split())[:100]} beside a lock on {', '.join(sorted(locked))}")
        if snapshot == self._snapshot:
            return
        self._snapshot = snapshot
        schema = self.session.execute(_SCHEMA).fetchall()
        if schema != self._schema:
            self._schema = schema
            self._run_old_code(statement)

    def _run_old_code(self, statement: str) -> None:
        for sql in self.old_code:
            try:
                with self.session.transaction(force_rollback=True):
                    self.session.execute("SET LOCAL lock_timeout = '5ms'")
                    self.session.execute(sql)
            except psycopg.errors.LockNotAvailable:
                pass  # it waits for an instant
            except psycopg.Error as error:
                self.failures.setdefault(f"{sql}: {error}", statement[:100])


@contextmanager
def watching(url: str, tables: Sequence[str], old_code: Sequence[str] = ()) -> Iterator[Watch]:
    """Watch all that this process does until the block ends."""
    with psycopg.connect(url, autocommit=True) as session:
        watch = Watch(session, tables, old_code)
        event.listen(Engine, "before_cursor_execute", watch.look)
        try:
            yield watch
        finally:
            event.remove(Engine, "before_cursor_execute", watch.look)
