"""The code that ran before the change: every statement that its models can make, in each state of the schema.

A state is what is committed; it is looked at before each statement of the migration. So no client need be lucky to meet
the one that fails. What the clients write is committed too, now and then, and noted, to be written elsewhere as well.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from alembic_online.testing.crucible.names import quoted
from alembic_online.testing.crucible.rows import insert, key, value
from alembic_online.testing.crucible.schema import Schema, Table
from alembic_online.testing.crucible.trying import failures

# What is noted where the revision ends belongs to its transaction.
_ITS_OWN = re.compile(
    r"\s*(ALTER|CREATE|DROP|LOCK|DO|COMMENT|GRANT|REVOKE|TRUNCATE|COMMIT|ROLLBACK)\b|.*\balembic_", re.IGNORECASE
)
# What is locked; what is committed, by its transactions; and where that is not what it was ($3), another answer for
# another schema.
_LOCKED = """
    SELECT DISTINCT c.relname::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    AND l.pid <> pg_backend_pid() AND c.relname = ANY ($1) AND l.pid <> ALL ($2)
"""
_CATALOGUES = ("pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_rewrite", "pg_enum")
_SCHEMA = ", ".join(f"(SELECT concat(count(*), max(xmin::text::bigint)) FROM {table})" for table in _CATALOGUES)
_PREPARE = f"""
    PREPARE look (text[], integer[], text) AS SELECT ARRAY({_LOCKED}), pg_current_snapshot()::text,
    CASE WHEN pg_current_snapshot()::text <> $3 THEN concat_ws(' ', {_SCHEMA}) END
"""
_CLIENTS_ROW, _WRITTEN = 701, 501
_CHECK_VIOLATION = "23514"


def statements(schema: Schema) -> Iterator[str]:
    """Each that the models can make, one by one valid on the schema."""
    for table in schema.tables:
        name, names = quoted(table.name), ", ".join(map(quoted, table.names))
        yield f"SELECT {names} FROM {name} LIMIT 2"
        yield insert(schema, table, _CLIENTS_ROW, _CLIENTS_ROW, 7)
        yield from updates(schema, table)
        yield f"DELETE FROM {name} WHERE false"
        bare = [column for column in table.columns if column.default and not column.generated]
        for column in bare:
            yield insert(schema, table, _CLIENTS_ROW, _CLIENTS_ROW, 7, without=column.name)
    for each in schema.attached:
        if each.kind.endswith("view"):
            yield f"SELECT {', '.join(map(quoted, each.columns))} FROM {each.name} LIMIT 2"


def updates(schema: Schema, table: Table) -> Iterator[str]:
    """One of each column that may be written alone."""
    unique = {name for each in table.rules if not each.check for name in each.columns}
    unique |= {name for each in table.indexes if each.unique for name in each.columns}
    for column in table.plain:
        if column.name not in unique:
            given = f"(SELECT {value(column, schema, table, 3)} FROM generate_series(3, 3) AS i)"
            row = f"{quoted(table.id.name)} = {key(table.id.type, '2')}"
            yield f"UPDATE {quoted(table.name)} SET {quoted(column.name)} = {given} WHERE {row}"


def written_out(schema: Schema) -> Iterator[tuple[str, str]]:
    """Each statement that leaves a column to its default, and the same with that default in it."""
    for table in schema.tables:
        for column in table.columns:
            if column.default and not column.generated:
                yield (
                    insert(schema, table, _CLIENTS_ROW, _CLIENTS_ROW, 7, without=column.name),
                    insert(schema, table, _CLIENTS_ROW, _CLIENTS_ROW, 7, default=column.name),
                )


@dataclass
class Clients:
    """`wrote` is what they have committed; `failures` what failed, why, in which state, and before which statement."""

    url: str
    schema: Schema
    writes: bool
    guessed: bool = False
    """Whether some of the statements may not fit the models."""
    wrote: list[str] = field(default_factory=list)
    failures: list[tuple[str, int, str, str]] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    """What was asked while a strong lock on a table was held."""
    states: int = 0
    _alone: bool = True
    _look: str = ""
    _committed: str = ""
    _seen: str = ""

    def __post_init__(self) -> None:
        self.session: psycopg.Connection[Any] = psycopg.connect(self.url, autocommit=True, prepare_threshold=None)
        self.session.execute("SET lock_timeout = '5ms'")
        self.session.execute("SET plan_cache_mode = force_generic_plan")
        self.session.execute(_PREPARE.encode())
        self._statements = list(statements(self.schema))
        if self.guessed:
            vain = {statement for statement, _ in self.failing(self.session)}
            self._statements = [each for each in self._statements if each not in vain]
        self._tables = [table.name for table in self.schema.tables]

    def begin(self, *, alone: bool) -> None:
        """A run begins: what the server does yet for one that was killed is not its, nor what a second one locks."""
        self._alone = alone
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        left = [pid for (pid,) in self.session.execute(others)]
        named = ", ".join(f"$${name}$$" for name in self._tables)
        self._look = f"EXECUTE look (ARRAY[{named}]::text[], ARRAY{left}::integer[], $$%s$$)"

    def look(self, next_statement: str) -> None:
        """Before a statement of the migration, or at its end."""
        found = self.session.execute((self._look % self._committed).encode()).fetchone()
        assert found is not None, "it has no WHERE"
        strong, self._committed, schema = found
        if strong and self._alone and next_statement and not _ITS_OWN.match(next_statement):
            self.beside.append(f"{' '.join(next_statement.split())[:100]} beside a lock on {', '.join(sorted(strong))}")
        if schema is not None and schema != self._seen:
            self._seen = schema
            self.states += 1
            for statement, error in self.failing(self.session):
                self.failures.append((statement, self.states, error, " ".join(next_statement.split())[:100]))
            if self.writes and next_statement:
                self._write()

    def failing(self, session: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
        """The statements that fail there now, and why; nothing of them stays."""
        for each in failures(session, self._statements):
            yield self._statements[each.place], each.words

    def unfit_defaults(self, session: psycopg.Connection[Any]) -> Iterator[str]:
        """The statements that leave a column to a default which is no value of it there."""
        pairs = list(written_out(self.schema))
        for each in failures(session, [with_default for _, with_default in pairs]):
            if each.sqlstate.startswith("22") or each.sqlstate == _CHECK_VIOLATION:
                yield pairs[each.place][0]

    def _write(self) -> None:
        """A row is inserted, one updated, one deleted, by turns."""
        number = _WRITTEN + self.states
        table = self.schema.tables[self.states % len(self.schema.tables)]
        wanted = [insert(self.schema, table, number, number, 7)] if number % 5 and number < 700 else []
        changes = list(updates(self.schema, table))
        wanted += changes[self.states % len(changes) :][:1] if changes else []
        for statement in wanted:
            try:
                self.session.execute(statement.encode())
            except psycopg.Error:
                continue  # whether it may fail is looked at elsewhere
            self.wrote.append(statement)

    def close(self) -> None:
        """End the session."""
        self.session.close()
