"""Rows for the tables of a schema."""

from collections.abc import Iterator

from alembic_online.testing.crucible.kinds import value_of
from alembic_online.testing.crucible.names import quoted
from alembic_online.testing.crucible.schema import Column, Schema, Table

_KEYS = {"uuid": "lpad({}::text, 32, '0')::uuid"}


def key(type_: str, number: str) -> str:
    """The key of this number, as SQL."""
    return _KEYS.get(type_, "{}").format(number)


def fill(schema: Schema, rows: int, large: str = "") -> Iterator[str]:
    """So many rows a table, those referred to first; five times as many for the one that is called `large`."""
    for table in schema.tables:
        count = rows * 5 if table.name == large else rows  # below the numbers of clients' rows
        yield insert(schema, table, 1, count, rows)
        if table.id.type == "serial" or table.id.identity:
            yield f"SELECT setval(pg_get_serial_sequence('{quoted(table.name)}', '{table.id.name}'), {count})"
    yield from (f"REFRESH MATERIALIZED VIEW {each.name}" for each in schema.attached if each.kind.startswith("m"))


def insert(
    schema: Schema, table: Table, first: int, last: int, others: int, *, without: str = "", default: str = ""
) -> str:
    """The rows of these numbers, whose foreign keys lead to rows up to `others`.

    `without` one column, or with the `default` of one written out.
    """
    given = [column for column in table.columns if not column.generated and column.name != without]
    values = ", ".join(
        column.default if column.name == default else _value(column, schema, table, others) for column in given
    )
    names = ", ".join(quoted(column.name) for column in given)
    over = "OVERRIDING SYSTEM VALUE " if any(column.identity for column in given) else ""
    return (
        f"INSERT INTO {quoted(table.name)} ({names}) {over}SELECT {values} FROM generate_series({first}, {last}) AS i"
    )


def _value(column: Column, schema: Schema, table: Table, others: int) -> str:
    found = value(column, schema, table, others)
    return f"CASE WHEN i % 5 > 0 THEN {found} END" if column.nullable else found


def value(column: Column, schema: Schema, table: Table, others: int) -> str:
    """That of row `i`, as SQL."""
    reference = next((each for each in table.references if each.column == column.name), None)
    if column.name == table.id.name:
        return key(column.type, "i")
    if reference is not None:
        return key(column.type, f"(i * 3 % {others} + 1)")
    return value_of(column.type, schema.labels(column.type))
