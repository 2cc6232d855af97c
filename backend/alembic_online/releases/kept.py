"""`op.keep_aside` and `op.bring_back`: what a dropped column or table held is kept for a declared time.

    op.keep_aside("customers", "mail", by=["id"], keep_for="30 days")      before op.drop_column
    op.bring_back("customers", "mail", by=["id"])                          after op.add_column, on the way back

Values are kept as JSON, by the key of their row, in one table of the migrations' own, which no comparison of schemas
sees. What is kept is what the rows held when the line ran: one statement, with no lock that a client would notice, so
that it runs before the strong lock of the drop. `alembic-online contract` clears what is older than it was to be.
"""

import json
import logging
from collections.abc import Sequence

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill.definition import Backfill, verbatim
from alembic_online.backfill.operation import BackfillOp
from alembic_online.errors import RequestRefused
from alembic_online.postgres.sql.identifiers import quoted
from alembic_online.postgres.sql.literals import literal
from alembic_online.runtime.bookkeeping import standing
from alembic_online.runtime.history import KEPT_TABLE

log = logging.getLogger("alembic.runtime.migration")

# json and no jsonb: a value of type json is to come back as it was written.
_MAKE = """
    CREATE TABLE IF NOT EXISTS {kept} (of text, key text, value json, until timestamptz NOT NULL, PRIMARY KEY (of, key))
"""
_FORGET = "DELETE FROM {kept} WHERE of = {of}"
_KEEP = """
    INSERT INTO {kept} (of, key, value, until)
    SELECT {of}, CAST(json_build_array({by}) AS text), to_json({what}), now() + CAST({keep_for} AS interval)
    FROM {table} AS held WHERE {what} IS DISTINCT FROM NULL
"""
_BRING_ROWS = """
    INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {read} FROM {kept} AS kept, json_populate_record(CAST(NULL AS {table}), kept.value) AS held
    WHERE kept.of = {of} ON CONFLICT DO NOTHING
"""
# Evaluated only where the column has a sequence, so that a key of another type is no error.
_COUNT_ON = """
    SELECT setval(sequence, (SELECT max(CAST(value ->> {name} AS bigint)) FROM {kept} WHERE of = {of}))
    FROM pg_get_serial_sequence({literal_table}, {name}) AS sequence
    WHERE sequence IS NOT NULL AND EXISTS (SELECT FROM {kept} WHERE of = {of})
"""
_FOUND = "(SELECT {read} FROM {kept} AS kept, json_populate_record(CAST(NULL AS {table}), {row}) AS held WHERE {this})"


class _Kept(MigrateOperation):
    """A column, or a table where none is named."""

    def __init__(self, table_name: str, column_name: str | None, by: Sequence[str], schema: str | None) -> None:
        if isinstance(by, str) or not by:
            raise RequestRefused(
                f"What identifies a row of {table_name} is not said.", 'Name the columns of its key: by=["id"]'
            )
        self.column, self.by = column_name, tuple(by)
        self.table = ".".join(quoted(part) for part in (schema, table_name) if part)
        self.name = f"{self.table}.{quoted(column_name)}" if column_name else self.table

    def words(self, operations: Operations) -> dict[str, str]:
        """What the statements are made of."""
        context = operations.migration_context
        place = None if context.as_sql else standing(operations.get_bind(), KEPT_TABLE, context.version_table_schema)
        schema = place.schema if place else context.version_table_schema
        return {
            "kept": ".".join(quoted(part) for part in (schema, KEPT_TABLE) if part),
            "of": literal(self.name),
            "table": self.table,
        }


@Operations.register_operation("keep_aside")
class KeepAsideOp(_Kept):
    """Keep what a column or table holds, which is dropped next."""

    def __init__(
        self, table_name: str, column_name: str | None, by: Sequence[str], keep_for: str, schema: str | None
    ) -> None:
        super().__init__(table_name, column_name, by, schema)
        self.keep_for = keep_for

    @classmethod
    def keep_aside(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str | None = None,
        *,
        by: Sequence[str],
        keep_for: str,
        schema: str | None = None,
    ) -> None:
        """Keep the values of a column that are not NULL, or all rows of a table, for an interval such as `30 days`.

        `by` are the columns of the table's key. What was kept of it before is forgotten.
        """
        operations.invoke(cls(table_name, column_name, by, keep_for, schema))


@Operations.register_operation("bring_back")
class BringBackOp(_Kept):
    """Give it back to the column or table, which was made before."""

    def __init__(
        self,
        table_name: str,
        column_name: str | None,
        by: Sequence[str],
        columns: Sequence[str],
        schema: str | None,
    ) -> None:
        super().__init__(table_name, column_name, by, schema)
        if bool(column_name) == bool(columns):
            raise RequestRefused(
                f"What is to be brought back of {self.table} is not said.",
                'Name the column, or for rows of a table those that they have: columns=["id", "mail"]',
            )
        self.columns = tuple(columns)

    @classmethod
    def bring_back(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str | None = None,
        *,
        by: Sequence[str],
        columns: Sequence[str] = (),
        schema: str | None = None,
    ) -> None:
        """Fill the column in batches with what was kept, or insert the rows: then `columns` are those they have.

        Rows that came since have no kept value, and are left as they are. Where nothing is kept any more it says so.
        """
        operations.invoke(cls(table_name, column_name, by, columns, schema))


@Operations.implementation_for(KeepAsideOp)
def _keep_aside(operations: Operations, operation: KeepAsideOp) -> None:
    words = operation.words(operations) | {
        "by": ", ".join(f"held.{quoted(each)}" for each in operation.by),
        "what": f"held.{quoted(operation.column)}" if operation.column else "held",
        "keep_for": literal(operation.keep_for),
    }
    for statement in (_MAKE, _FORGET, _KEEP):
        operations.execute(verbatim(statement.format(**words)))


@Operations.implementation_for(BringBackOp)
def _bring_back(operations: Operations, operation: BringBackOp) -> None:
    words = operation.words(operations)
    operations.execute(verbatim(_MAKE.format(**words)))
    if not operations.migration_context.as_sql and not _is_kept(operations, words):
        log.warning("Nothing is kept of %s any more: it comes back empty.", operation.name)
    if operation.column is not None:
        operations.invoke(BackfillOp(_as_backfill(operation, operation.column, words), deferred=False))
        return
    words |= {
        "columns": ", ".join(map(quoted, operation.columns)),
        "read": ", ".join(f"held.{quoted(each)}" for each in operation.columns),
        "literal_table": literal(operation.table),
    }
    operations.execute(verbatim(_BRING_ROWS.format(**words)))
    for column in operation.by:
        operations.execute(verbatim(_COUNT_ON.format(name=literal(column), **words)))


def _is_kept(operations: Operations, words: dict[str, str]) -> bool:
    found = "SELECT EXISTS (SELECT FROM {kept} WHERE of = {of})"
    return bool(operations.get_bind().scalar(text(verbatim(found.format(**words)))))


def _as_backfill(operation: BringBackOp, column: str, words: dict[str, str]) -> Backfill:
    key = ", ".join(f"{operation.table}.{quoted(each)}" for each in operation.by)
    this = f"kept.of = {words['of']} AND kept.key = CAST(json_build_array({key}) AS text)"
    row = f"json_build_object({literal(column)}, kept.value)"
    value = _FOUND.format(read=f"held.{quoted(column)}", row=row, this=this, **words)
    # A scalar subquery, which PostgreSQL looks up row by row: EXISTS it may join, and reads all that is kept each time.
    where = f"(SELECT true FROM {words['kept']} AS kept WHERE {this})"
    return Backfill(
        table=operation.table, values={column: value}, where=where, name=f"what was kept of {operation.name}"
    )


async def clear_expired(connection: AsyncConnection, version_schema: str | None = None) -> list[str]:
    """Delete what was to be kept until now, and return of what it was; on a connection in autocommit."""
    place = await connection.run_sync(standing, KEPT_TABLE, version_schema)
    if not place.exists:
        return []
    kept = f"{quoted(place.schema)}.{KEPT_TABLE}"
    gone = await connection.scalars(text(f"SELECT DISTINCT of FROM {kept} WHERE until < now() ORDER BY 1"))
    found = [str(each) for each in gone.all()]
    if found:
        which = text(f"DELETE FROM {kept} WHERE of IN (SELECT json_array_elements_text(CAST(:of AS json)))")
        await connection.execute(which.bindparams(bindparam("of", json.dumps(found))))
    return found
