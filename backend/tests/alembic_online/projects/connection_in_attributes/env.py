"""As Alembic's cookbook has it: the application may hand a connection in."""

import os

from alembic import context
from models import metadata
from sqlalchemy import create_engine, pool

config = context.config


def run_migrations(connection):
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


connection = config.attributes.get("connection", None)
if connection is None:
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        run_migrations(connection)
else:
    run_migrations(connection)
