"""A shop whose releases are deployed one after the other: what each was built for, as sessions of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from alembic_online.releases.label import Label
from tests.alembic_online.project import Project

EXPAND = ('op.add_column("customers", sa.Column("email", sa.Text))', 'op.drop_column("customers", "email")')
CONTRACT = ('op.drop_column("customers", "mail")', 'op.add_column("customers", sa.Column("mail", sa.Text))')
ON = {"MIGRATION_EXPAND_CONTRACT": "on", "MIGRATION_PRODUCT": "shop"}


def make_shop(project: Project) -> Project:
    """`one` makes the table, `two` adds a column, `three` drops one."""
    table = 'op.create_table("customers", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("mail", sa.Text))'
    project.revision("one", None, table, 'op.drop_table("customers")', phase="expand")
    project.revision("two", "one", *EXPAND, phase="expand")
    project.revision("three", "two", *CONTRACT, phase="contract")
    return project


@contextmanager
def running(url: str, release: str, revision: str, host: str = "web-1", **options: Any) -> Iterator[psycopg.Connection]:
    """A process of this release is connected until the end of the block."""
    label = str(Label.of(options.pop("product", "shop"), release, [revision], host))
    with psycopg.connect(url, application_name=label, autocommit=True, **options) as connection:
        yield connection
