"""The code of the revision before runs on while a revision is applied: its queries must go on working."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.autogenerate.context import quoted
from alembic_online.postgres.catalogue import Difference, Kind
from alembic_online.postgres.sqlstate import server_message
from alembic_online.sample_rows.row_factory import Filler
from alembic_online.sample_rows.tables import Table, rows_of

Tables = Mapping[str, Table]


def broken_queries(
    connection: Connection,
    before: Tables,
    now: Tables,
    filler: Filler,
    changed: Sequence[Difference],
    loses: Collection[str],
) -> Iterator[str]:
    """Each table of `before` that cannot be read or written any more by all of the columns that it had then.

    `changed` is what the revision changed: where nothing of a table did, a row need not be tried. What `loses` names
    was taken leave of knowingly: by then no code may use it.
    """
    tables = [_less(table, loses) for table in before.values() if table.short not in loses]
    queries = {table.name: _queries(table) for table in tables}
    all_of_them = [query for each in queries.values() for query in each]
    fine = not _refused(connection, ";".join(all_of_them))
    for table in tables:
        refusals = ((query, _refused(connection, query)) for query in (() if fine else queries[table.name]))
        if broken := next(((query, refused) for query, refused in refusals if refused), None):
            yield f"code of the revision before cannot {broken[0].split()[0]} {table.short}: {broken[1]}"
        elif (
            table.name in now
            and table.name in filler.writable
            and _may_differ(table, changed)
            and (refused := _written(connection, now[table.name], before[table.name], filler))
        ):
            yield f"code of the revision before cannot INSERT into {table.short}: {refused}"


def _less(table: Table, loses: Collection[str]) -> Table:
    columns = tuple(each for each in table.columns if f"{table.short}.{each.name}" not in loses)
    return Table(table.name, columns, table.constraints)


def _queries(table: Table) -> list[str]:
    if not table.columns:
        return []
    names = ", ".join(each.name for each in table.columns)
    changes = ", ".join(f"{each.name} = {each.name}" for each in table.columns)
    heads = (f"SELECT {names} FROM {table.name}", f"UPDATE {table.name} SET {changes}", f"DELETE FROM {table.name}")
    return [f"{head} WHERE false" for head in heads]


def _may_differ(table: Table, changed: Sequence[Difference]) -> bool:
    """Whether a change is of this table, or of something that tables share: a type, a function."""
    for identity in (each.identity for each in changed):
        name = identity.table or (identity.name if identity.kind is Kind.TABLE else "")
        if not name or table.name == quoted(identity.schema, name):
            return True
    return False


def _refused(connection: Connection, queries: str) -> str:
    try:
        with connection.begin_nested():
            if queries:
                rows_of(connection, queries)
    except DBAPIError as error:
        return server_message(error)
    return ""


def _written(connection: Connection, now: Table, then: Table, filler: Filler) -> str:
    """By the old columns, and the new constraints: is there a row at all that the old code may write?"""
    names = {each.name for each in then.columns}
    known = [each for each in now.columns if each.name in names]
    savepoint = connection.begin_nested()
    refused = filler.insert(connection, now, known)
    if savepoint.is_active:
        savepoint.rollback()
    return refused
