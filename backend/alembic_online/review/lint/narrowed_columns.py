"""Columns whose new type rounds or cuts values."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from alembic_online.postgres.catalogue import Attribute, Difference, Kind
from alembic_online.runner.lossy_casts import cuts


def cut_values(connection: Connection, differences: Iterable[Difference]) -> Iterator[Difference]:
    """Those of `differences` that do, by the server's own casts; what is open on `connection` is rolled back."""
    for each in differences:
        new_type = each.identity.kind is Kind.COLUMN and each.attribute == Attribute.TYPE
        if new_type and cuts(connection, str(each.before), str(each.after)):
            yield each
