"""ADD EXCLUDE has no online way: PostgreSQL (16 to 18) builds its index under ACCESS EXCLUSIVE, and takes none over."""

from collections.abc import Iterator

from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import AddConstraint

from alembic_online.errors import RevisionFailed
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import ddl, table_name
from alembic_online.recipes.step import OnlineChange, Step


def add_exclude(construct: AddConstraint, database: Database) -> OnlineChange | None:
    """Refused, unless the table is small or the revision says why it may be stopped; a script gets the statement."""
    constraint = construct.element
    assert isinstance(constraint, ExcludeConstraint)
    table = table_name(constraint.table)
    return OnlineChange(table, _refuse(table) if database.is_known else iter([Step(sql=ddl(construct))]))


def _refuse(table: str) -> Iterator[Step]:
    yield from ()
    raise RevisionFailed(
        f"An exclusion constraint on {table} has no online way: nobody could read or write until its index is built.",
        f'If that may be, let the revision say why: direct = {{"{table}": "..."}}',
    )
