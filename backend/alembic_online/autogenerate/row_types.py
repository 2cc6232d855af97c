"""Functions that return the rows of a table, a view or a composite type.

PostgreSQL (16 to 18, check_sql_fn_retval in functions.c) holds a body of SQL against the columns that are there when
the function is made: so it is made when these are as they shall be.
"""

from collections.abc import Iterable, Iterator

from alembic_online.autogenerate.context import Schema
from alembic_online.autogenerate.definition_parser import qualified_name
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_WITH_ROWS = (Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.FOREIGN_TABLE, Kind.COMPOSITE)


def returned_rows(entry: CatalogueObject, schema: Schema) -> Identity | None:
    """What the function `entry` of `schema` returns the rows of; None for any other result, and for what is none."""
    if entry.kind is not Kind.FUNCTION:
        return None
    result = entry.text(Attribute.SIGNATURE).rpartition(" returns ")[2].removeprefix("SETOF ")
    if "(" in result or " " in result.replace('"', ""):
        return None
    place = qualified_name(result)
    return next(
        (found for kind in _WITH_ROWS if (found := Identity(kind, place[0], "", place[1])) in schema.catalogue), None
    )


def returned_parts(old: Schema, new: Schema, functions: Iterable[Identity]) -> Iterator[tuple[Identity, Identity]]:
    """Pairs of a function, and what it returns the rows of or a column of that, before or after."""
    for function in functions:
        for schema in (old, new):
            rows = returned_rows(schema.catalogue[function], schema) if function in schema.catalogue else None
            if rows is not None:
                columns = (column for each in (old, new) for column in each.children(rows, Kind.COLUMN))
                yield from ((function, part) for part in (rows, *(column.identity for column in columns)))
