"""The code of the revision before runs on while a revision is applied: its queries must go on working."""

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from src.postgres.sqlstate import server_message
from src.safety.testing.filling import Filler
from src.safety.testing.tables import Table, read_tables


def broken_queries(
    connection: Connection, before: Mapping[str, Table], filler: Filler, loses: Collection[str]
) -> Iterator[str]:
    """Each table of `before` that cannot be read or written any more by all of the columns that it had then.

    What `loses` names was taken leave of knowingly: by then no code may use it.
    """
    now = read_tables(connection)
    for name, table in before.items():
        if table.short in loses:
            continue
        columns = [each for each in table.columns if f"{table.short}.{each.name}" not in loses]
        names = ", ".join(each.name for each in columns)
        changes = ", ".join(f"{each.name} = {each.name}" for each in columns)
        for query in (f"SELECT {names} FROM {name}", f"UPDATE {name} SET {changes}", f"DELETE FROM {name}"):
            if columns and (refused := _refused(connection, f"{query} WHERE false")):
                yield f"code of the revision before cannot {query.split()[0]} {table.short}: {refused}"
                break
        else:
            if name in now and name in filler.writable and (refused := _written(connection, now[name], table, filler)):
                yield f"code of the revision before cannot INSERT into {table.short}: {refused}"


def _refused(connection: Connection, query: str) -> str:
    try:
        with connection.begin_nested():
            connection.execute(text(query))
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
