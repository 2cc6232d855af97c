"""What all constraints have in common: a name to validate them by, and a key to name the rows that break them."""

from sqlalchemy.schema import Constraint

from src.safety.online.database import Database
from src.safety.online.free_name import free_constraint_name
from src.safety.online.names import formatted_constraint_name, quoted, table_name

_KEY = """
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY array_position(i.indkey::int2[], a.attnum)) AS names
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = to_regclass(:table) AND i.indisprimary HAVING count(*) > 0
"""


def constraint_name(constraint: Constraint, first: str, second: str, label: str, database: Database) -> str:
    """Its name as SQL writes it; one that has none gets the name that PostgreSQL would give to it."""
    if (given := formatted_constraint_name(constraint)) is not None:
        return given
    name = free_constraint_name(first, second, label, table_name(constraint.table), database)
    constraint.name = name
    return quoted(name)


def obstacle_columns(table: str, database: Database) -> str:
    """The columns by which a row is named: its primary key, or where there is none its place."""
    found = database.ask(_KEY, table=table)
    return str(found[0].names) if found else "ctid"
