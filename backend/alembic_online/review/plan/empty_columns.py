"""Columns that are dropped and hold nothing, in the database at hand: the rehearsal has no rows."""

from collections.abc import Sequence

from sqlalchemy import Connection

from alembic_online.review.plan.trace import Traced
from alembic_online.runner.data_loss import holds_nothing
from alembic_online.runtime.row_security import every_row


def empty_columns(connection: Connection, statements: Sequence[Traced]) -> frozenset[str]:
    """Those of what `statements` destroy, under the names that they have there; `connection` is on AUTOCOMMIT."""
    found: set[str] = set()
    for traced in statements:
        for what in traced.destroys:
            table, _, column = what.rpartition(".")
            live = traced.origins.get(table)
            if live and what not in found:
                with every_row(connection, outside=True):
                    found |= {what} if holds_nothing(connection, live, column) else set()
    return frozenset(found)
