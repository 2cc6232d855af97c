"""What the steps of an operation depend on: the server's version, and the table as it is when its turn comes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Row, text

from alembic_online.policy import Policy
from alembic_online.recipes.cutover.cutover import CutOver
from alembic_online.recipes.object_effects import GivenUp
from alembic_online.runtime.table_facts import TableFacts

_OLDEST = 16

_TABLE = text(
    """
    WITH RECURSIVE parts AS (
      SELECT to_regclass(:name)::oid AS oid
      UNION ALL SELECT inhrelid FROM pg_inherits JOIN parts ON inhparent = parts.oid
    )
    SELECT c.relkind = 'p' AS partitioned, c.relpersistence = 't' AS temporary,
           (SELECT coalesce(sum(pg_table_size(oid)), 0) FROM parts)::bigint AS bytes,
           (SELECT coalesce(sum(pg_relation_size(oid)), 0) FROM parts)::bigint AS heap_bytes,
           (SELECT sum(nullif(reltuples, -1)) FROM pg_class JOIN parts USING (oid))::bigint AS rows
    FROM pg_class c WHERE c.oid = to_regclass(:name)
    """
)

_TABLES = text(
    """
    SELECT c.oid::regclass::text AS name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS qualified,
           c.relkind = 'p' AS partitioned, false AS temporary, part.bytes, part.heap_bytes, part.rows
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
      SELECT sum(pg_table_size(p.oid))::bigint AS bytes, sum(pg_relation_size(p.oid))::bigint AS heap_bytes,
             sum(nullif(p.reltuples, -1))::bigint AS rows
      FROM pg_class p WHERE p.oid = c.oid OR p.oid IN (SELECT relid FROM pg_partition_tree(c.oid))
    ) AS part
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema'
    """
)
_PARTITIONS = """
    WITH RECURSIVE parts AS (
      SELECT inhrelid AS oid, inhparent AS parent, 1 AS depth FROM pg_inherits
      WHERE inhparent = to_regclass(:table) AND NOT inhdetachpending
      UNION ALL SELECT i.inhrelid, i.inhparent, depth + 1 FROM pg_inherits i JOIN parts ON i.inhparent = parts.oid
      WHERE NOT i.inhdetachpending
    )
    SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned, c.relkind = 'f' AS "foreign",
           parts.oid::regclass::text AS sql, parts.parent::regclass::text AS parent
    FROM parts JOIN pg_class c ON c.oid = parts.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    ORDER BY depth, c.relname
"""


@dataclass(frozen=True)
class Partition:
    """A partition of a table, at any depth."""

    schema: str
    name: str
    partitioned: bool
    """It has partitions of its own, and no rows."""
    foreign: bool
    """Its rows are on another server."""
    sql: str
    """Its name as SQL writes it."""
    parent: str
    """The name of the table above it, as SQL writes it."""


def read_tables(connection: Connection) -> dict[str, TableFacts]:
    """Every table of the database, under its name as SQL writes it here, and under its qualified name."""
    found: dict[str, TableFacts] = {}
    for name, qualified, *facts in connection.execute(_TABLES):
        found |= {each: TableFacts(each, *facts) for each in (str(name), str(qualified))}
    return found


class Source(Protocol):
    """Where a recipe asks, between two statements of a revision."""

    @property
    def connection(self) -> Connection:
        """That of the run."""

    def question(self) -> AbstractContextManager[Connection]:
        """What runs in the block only reads."""

    def scratch(self) -> AbstractContextManager[Connection]:
        """What runs in the block is rolled back."""

    def noted(self, words: str) -> tuple[str, str | None]:
        """A name for what is found, and what was found when the revision first came here, if it was."""

    def note(self, key: str, found: str) -> None:
        """Keep it, under this name, for a second run."""

    def comes_back(self, each: GivenUp) -> bool:
        """Whether a line below the one that runs makes it again."""

    def believed(self, there: TableFacts) -> TableFacts:
        """What a table counts as."""


class Database:
    """The database that is changed; without a source it is any, and the steps are for a script."""

    def __init__(self, policy: Policy, source: Source | None = None) -> None:
        self.policy, self._source = policy, source
        self.cut_over = CutOver()
        """What waits, and has changed nothing yet."""
        self._tables: dict[str, TableFacts | None] = {}

    @property
    def is_known(self) -> bool:
        """Whether it can be asked; if not, tables may have any number of rows."""
        return self._source is not None

    @property
    def version(self) -> int:
        """PostgreSQL's major version; the oldest that is supported where it is not known."""
        if self._source is None:
            return _OLDEST
        info = self._source.connection.dialect.server_version_info
        assert info is not None, "known after the first connection"
        return int(info[0])

    def recall(self, words: str, find: Callable[[], str]) -> str:
        """What was found when the revision first came here: its second run takes the same steps, whatever they left.

        "" where nothing can be asked.
        """
        if self._source is None:
            return ""
        key, found = self._source.noted(words)
        if found is None:
            found = find()
            self._source.note(key, found)
        return found

    def recall_whether(self, words: str, find: Callable[[], bool]) -> bool:
        """The same for a question of yes or no; no where nothing can be asked."""
        return bool(self.recall(words, lambda: "yes" if find() else ""))

    def ask(self, query: str, **values: object) -> Sequence[Row[Any]]:
        """The rows of a query of the catalogue, with `:name` for values; none where nothing can be asked."""
        if self._source is None:
            return ()
        with self._source.question() as connection:
            return connection.execute(text(query), values).all()

    def comes_back(self, each: GivenUp) -> bool:
        """Whether a line of the revision, below the one that runs, makes this again; no where nothing can be asked."""
        return self._source is not None and self._source.comes_back(each)

    def scratch(self) -> AbstractContextManager[Connection]:
        """A connection on which something can be tried: all of it is rolled back. Only where something can be asked."""
        assert self._source is not None, "only a known database can be tried on"
        return self._source.scratch()

    def partitions(self, table: str) -> Sequence[Partition]:
        """All below `table`, from the top down."""
        return [Partition(**row._mapping) for row in self.ask(_PARTITIONS, table=table)]

    def table(self, name: str) -> TableFacts | None:
        """The table called `name`, as SQL writes it, at the last look; None if there is none, or nobody to ask."""
        if self._source is None:
            return None
        if name not in self._tables:
            with self._source.question() as connection:
                row = connection.execute(_TABLE, {"name": name}).one_or_none()
            self._tables[name] = self._source.believed(TableFacts(name, *row)) if row else None
        return self._tables[name]

    def look_again(self) -> None:
        """Something was, or may have been done: `table` tells what is there now."""
        self._tables.clear()
