"""A unique index that takes the name of a key, or of an index that must go before a column of it is exchanged.

    ALTER TABLE t DROP CONSTRAINT u; CREATE UNIQUE INDEX u ON t (a)
    DROP INDEX u; ALTER TABLE t ALTER state TYPE state USING ...; CREATE UNIQUE INDEX u ON t (id) WHERE state = 'open'

Built when the old one is gone, it would let duplicates in meanwhile. So it is built beside the old one, over the new
columns, under a name of its own; the cut-over drops the old one and gives it its name.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from alembic_online.postgres.locks.reader import single, statements
from alembic_online.postgres.sql.identifiers import without_schema
from alembic_online.recipes.cutover.cutover import CutOver
from alembic_online.recipes.cutover.replaced_type import StandIn, with_stand_in_names
from alembic_online.recipes.database import Database
from alembic_online.recipes.duplicates import duplicates_of
from alembic_online.recipes.names import quoted, temporary, unquoted
from alembic_online.recipes.shadow_column.pending_columns import with_column
from alembic_online.recipes.step import OnlineChange, Step, Steps

_IS_IDENTITY = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND indisreplident"


@dataclass(frozen=True)
class InPlace:
    """The index; names as SQL writes them."""

    name: str
    table: str
    built: str
    """Its name until the cut-over."""
    body: str
    """What comes behind the table, over the columns as they are before the cut-over."""

    def change(self, database: Database) -> OnlineChange:
        """Its online way."""
        return OnlineChange(self.table, self._steps(database), index=self.name)

    def _steps(self, database: Database) -> Steps:
        own = self.table.removesuffix(without_schema(self.table))
        yield Step(
            sql=f"CREATE UNIQUE INDEX CONCURRENTLY {self.built} ON {self.table} {self.body}",
            obstacle=duplicates_of(self.name, self.table, "CREATE UNIQUE INDEX", self.body, database),
        )
        keeps = database.recall_whether(
            f"{self.name} is the replica identity", lambda: bool(database.ask(_IS_IDENTITY, name=f"{own}{self.name}"))
        )
        yield Step(sql=f"ALTER INDEX {own}{self.built} RENAME TO {self.name}", joins=True, with_next=keeps)
        if keeps:  # without one PostgreSQL refuses every UPDATE and DELETE of a published table
            yield Step(sql=f"ALTER TABLE {self.table} REPLICA IDENTITY USING INDEX {self.name}", joins=True)


def in_place(sql: str, database: Database) -> InPlace | None:
    """For a CREATE UNIQUE INDEX of a name that waits to be given up; None for any other statement."""
    reader = single(sql)
    if reader is None or not database.cut_over or not reader.accept("CREATE UNIQUE INDEX"):
        return None
    if reader.comes("CONCURRENTLY", "IF NOT EXISTS", "ON"):
        return None
    name = reader.name()
    if not reader.accept("ON") or reader.accept("ONLY"):
        return None
    table = reader.name()
    facts = database.table(table)
    if reader.done or facts is None or facts.partitioned:
        return None
    body = sql[reader.rest()[0].start :].strip()
    # As the first try found it: the next one finds the column exchanged.
    kept = database.recall(f"in place: {sql}", lambda: json.dumps(_beside(name, table, body, database)))
    return InPlace(name, table, *json.loads(kept)) if json.loads(kept or "[]") else None


def _beside(name: str, table: str, body: str, database: Database) -> list[str]:
    """The name and the `body` by which it is built; none where nothing of this name waits to be given up, or it needs
    what is made here."""
    cut_over, built = database.cut_over, temporary(unquoted(name))
    if not cut_over.gives_up("key", table, name):
        return []
    over = with_stand_in_names(body, list(_renamed_types(cut_over)))
    for column in cut_over.exchanged(table):
        over = with_column(over, quoted(column), quoted(temporary(column)))
        built = temporary(built)  # what the swap of each column carries over has one of these
    return [] if cut_over.is_needed_for(over) else [quoted(built), over]


def _renamed_types(cut_over: CutOver) -> Iterator[StandIn]:
    """The types that get their names here, under those that they have until then."""
    for waiting in cut_over.waiting:
        for reader in statements(waiting.sql):
            named = reader.accept_any("ALTER TYPE", "ALTER DOMAIN") and reader.name()
            if named and reader.accept("RENAME TO"):
                yield StandIn(reader.name(), named, "", waiting.sql)
