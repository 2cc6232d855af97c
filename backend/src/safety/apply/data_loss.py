"""What a downgrade is about to destroy, counted before it is dropped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from src.postgres import sqlstate as state
from src.postgres.lock_modes.reader import statements
from src.safety.apply.changed_values import conditions
from src.safety.errors import DataLoss

_COUNT_LIMIT = 10_000
_ITS_OWN = (state.UNDEFINED_TABLE, state.UNDEFINED_COLUMN, state.CANNOT_COERCE)
_COUNT_MS = 1000  # a count must not hold up what comes after it


_IN_SCHEMAS = text(
    """
    SELECT c.oid::regclass::text AS relation, '' AS part FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT CAST(:extensions AS bool)
      AND c.relnamespace IN (SELECT to_regnamespace(name) FROM unnest(CAST(:names AS text[])) name)
    """
)
_OF_TYPES = text(
    """
    WITH types AS (
      SELECT to_regtype(name)::oid AS oid FROM unnest(CAST(:names AS text[])) name WHERE NOT CAST(:extensions AS bool)
      UNION SELECT d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.deptype = 'e'
      WHERE d.classid = 'pg_type'::regclass AND d.refclassid = 'pg_extension'::regclass
        AND CAST(:extensions AS bool) AND quote_ident(e.extname) = ANY (CAST(:names AS text[]))
    )
    SELECT c.oid::regclass::text AS relation, quote_ident(a.attname) AS part
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT a.attisdropped
      AND (t.oid IN (SELECT oid FROM types) OR t.typelem IN (SELECT oid FROM types))
    """
)


@dataclass(frozen=True)
class Loss:
    """Rows that go with a table, or values that go with a column."""

    what: str
    rows: str

    def __str__(self) -> str:
        return f"{self.what}: {self.rows}"


def losses(connection: Connection, statement: str) -> Iterator[Loss]:
    """Count what `statement` drops, tables with rows and columns with values, and what it changes by a new type."""
    for table, column in [*dropped(statement), *_dropped_with(connection, statement)]:
        condition = f"WHERE {column} IS NOT NULL" if column else ""
        count = _count(connection, f"SELECT count(*) FROM (SELECT FROM {table} {condition} LIMIT {_COUNT_LIMIT + 1}) x")
        if count != "0":
            unit = f"{'value' if column else 'row'}{'' if count == '1' else 's'}"
            yield Loss(f"column {table}.{column}" if column else f"table {table}", f"{count} {unit}")
    yield from changed(connection, statement)


def changed(connection: Connection, statement: str) -> Iterator[Loss]:
    """Count the values that do not come back from a new type as they were."""
    for change, condition in conditions(connection, statement):
        rows = f"SELECT FROM {change.table} WHERE {condition} LIMIT {_COUNT_LIMIT + 1}"
        count = _count(connection, f"SELECT count(*) FROM ({rows}) x")
        if count != "0":
            values = "value changes" if count == "1" else "values change"
            yield Loss(f"column {change.table}.{change.column} as {change.kind}", f"{count} {values}")


def refuse(lost: Mapping[str, Sequence[Loss]], allowed: Sequence[str], *, done: str) -> DataLoss:
    """The error for a downgrade without consent: what each revision destroys, and in words what is done already."""
    several = [
        f"  {f'{revision}: ' if lost.keys() - {revision} else ''}{loss}" for revision in lost for loss in lost[revision]
    ]
    shown = "\n".join(several[:4]) + (f"\n  and {len(several) - 4} more" if several[4:] else "")
    return DataLoss(
        f"The downgrade of {' and of '.join(lost)} destroys data, and {done}.",
        f"{shown}\nIf it may go: MIGRATION_ALLOW_DATA_LOSS={','.join([*allowed, *lost])} alembic downgrade ...",
    )


def dropped(statement: str) -> Iterator[tuple[str, str]]:
    """Table and column of every DROP TABLE, TRUNCATE and DROP COLUMN, as written; for a table the column is empty."""
    for reader in statements(statement):
        match reader.accept_any("DROP TABLE", "TRUNCATE TABLE", "TRUNCATE", "ALTER TABLE"):
            case "DROP TABLE" | "TRUNCATE TABLE" | "TRUNCATE":
                reader.accept("IF EXISTS")
                yield from ((name, "") for name in reader.names())
            case "ALTER TABLE":
                reader.accept("IF EXISTS")
                names = reader.names()
                for action in reader.split():
                    if action.accept("DROP") and not action.accept("CONSTRAINT"):
                        action.accept("COLUMN")
                        action.accept("IF EXISTS")
                        yield from ((name, action.name()) for name in names)


def _dropped_with(connection: Connection, statement: str) -> Iterator[tuple[str, str]]:
    """The same of what goes with a schema, a type or an extension, which only the catalogue knows."""
    for reader in statements(statement):
        what = reader.accept_any("DROP SCHEMA", "DROP TYPE", "DROP DOMAIN", "DROP EXTENSION")
        if what is not None:
            reader.accept("IF EXISTS")
            query = _IN_SCHEMAS if what == "DROP SCHEMA" else _OF_TYPES
            given = {"names": reader.names(), "extensions": what == "DROP EXTENSION"}
            yield from ((row.relation, row.part) for row in connection.execute(query, given))


def _count(connection: Connection, query: str) -> str:
    try:
        with connection.begin_nested():
            connection.execute(text(f"SET LOCAL statement_timeout = {_COUNT_MS}"))
            count = int(connection.exec_driver_sql(query).scalar_one())
            connection.execute(text("SET LOCAL statement_timeout = 0"))
    except DBAPIError as error:
        if state.sqlstate(error) == state.QUERY_CANCELED:
            return "many, not counted,"
        if state.sqlstate(error) in _ITS_OWN or (state.sqlstate(error) or "").startswith(state.DATA_EXCEPTION):
            return "0"  # IF EXISTS, or an error that the statement itself is about to make
        raise
    return f"more than {_COUNT_LIMIT}" if count > _COUNT_LIMIT else str(count)
