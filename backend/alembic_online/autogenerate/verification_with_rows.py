"""The lines of a revision, tried with rows: as plain Alembic runs them, in one transaction, which is rolled back.

Some fail only then. Rows are made up, so what their values decide says nothing; what any rows would run into does: a
check that is deferred to the end of the transaction is in the way of ALTER TABLE, and a column that is new holds the
same in all rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from alembic.operations import MigrateOperation
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.autogenerate.context import Schema, quoted
from alembic_online.autogenerate.op_rendering import Call, Comment, Statement, sql
from alembic_online.autogenerate.schema_copy import run_lines
from alembic_online.postgres import sqlstate as state
from alembic_online.postgres.catalogue import Identity, Kind

_BY_ITSELF = (state.NOT_NULL_VIOLATION, state.UNIQUE_VIOLATION, state.CHECK_VIOLATION, state.EXCLUSION_VIOLATION)
"""A foreign key depends on the rows of another table."""


@dataclass
class WithRows:
    """What the trial says of one direction."""

    lines: list[MigrateOperation]
    """With `SET CONSTRAINTS` where a check would be in the way."""
    failure: str = ""
    """Why it fails where there are rows, whatever they hold."""
    went_through: bool = False


@contextmanager
def rows_in(connection: Connection, before: Schema, after: Schema) -> Iterator[None]:
    """Rows in the tables that change, and a transaction until the end of the block; the database is `before`."""
    run = connection.exec_driver_sql
    run("BEGIN")
    try:
        _fill(connection, before, after)
        run("COMMIT")  # else their own checks would be pending
        run("BEGIN")
        yield
    finally:
        if not connection.invalidated:
            run("ROLLBACK")


def changed_tables(before: Schema, after: Schema) -> set[Identity]:
    """Those of `before` that are another thing in `after`, or of which a part is."""
    found = set()
    for identity in {*before.catalogue, *after.catalogue}:
        was, now = before.catalogue.get(identity), after.catalogue.get(identity)
        if was is None or now is None or was.compared != now.compared:
            name = identity.name if identity.kind is Kind.TABLE else identity.table
            found.add(Identity(Kind.TABLE, identity.schema, "", name))
    return found & before.catalogue.keys()


def _fill(connection: Connection, before: Schema, after: Schema) -> None:
    """Rows in the tables that change, and in those that they refer to."""
    from alembic_online.sample_rows.row_factory import Filler  # noqa: PLC0415  the kit imports this room
    from alembic_online.sample_rows.tables import read_tables  # noqa: PLC0415  as above

    tables = read_tables(connection)
    wanted = {quoted(table.schema, table.name) for table in changed_tables(before, after)}
    for table in reversed(tables.values()):  # those referred to come first
        if table.name in wanted:
            wanted |= {constraint.table for constraint in table.constraints if constraint.table}
    Filler().fill(connection, [table for table in tables.values() if table.name in wanted])


def with_rows(connection: Connection, lines: Sequence[MigrateOperation], before: Schema, after: Schema) -> WithRows:
    """Run the lines that lead from one schema to the other in the transaction at hand.

    What fails is passed over; but after rows that were to be changed, and are not, nothing more is known.
    """
    found, checked = WithRows([], went_through=True), False
    for at, line in enumerate(lines):
        error = _run(connection, line) if isinstance(line, Call) else None
        if error is not None and not checked and state.sqlstate(error) == state.OBJECT_IN_USE:
            checked = True  # from then on, checks are made at once
            found.lines.append(sql("SET CONSTRAINTS ALL IMMEDIATE"))
            error = _run(connection, found.lines[-1]) or _run(connection, line)
        found.lines.append(line)
        if error is not None:
            found.went_through = False
            found.failure = found.failure or _certain(error, before, after)
            if isinstance(line, Statement):
                found.lines += lines[at + 1 :]
                break
    if any(map(_says_so, lines)):
        found.failure = ""
    return found


def _says_so(line: MigrateOperation) -> bool:
    """Whether a remark says already that it fails."""
    return isinstance(line, Comment) and "fails where" in line.text.lower()


def _run(connection: Connection, line: MigrateOperation) -> DBAPIError | None:
    """What the server has against it; then nothing of it is done."""
    connection.exec_driver_sql("SAVEPOINT line")
    try:
        run_lines(connection, [line])
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT line")
        return error
    connection.exec_driver_sql("RELEASE SAVEPOINT line")
    return None


def _certain(error: DBAPIError, before: Schema, after: Schema) -> str:
    """In words, what new columns alone have broken: they hold the same in whatever rows there are."""
    if state.sqlstate(error) not in _BY_ITSELF:
        return ""
    schema, table, name, column = (
        state.server_field(error, field) or ""
        for field in ("schema_name", "table_name", "constraint_name", "column_name")
    )
    needed = (after.needs.get(Identity(kind, schema, table, name), ()) for kind in (Kind.CONSTRAINT, Kind.INDEX))
    columns = {each for found in needed for each in found if each.kind is Kind.COLUMN}
    if column:
        columns = {Identity(Kind.COLUMN, schema, table, column)}
    return state.server_message(error) if columns and not columns & before.catalogue.keys() else ""
