"""SQLite on a laptop, PostgreSQL where it matters: the same chain, in batches."""

import os
from logging.config import fileConfig

from alembic import context
from models import Base
from sqlalchemy import create_engine, pool

config = context.config
fileConfig(config.config_file_name)
URL = os.environ.get("DATABASE_URL", "sqlite:///todo.db").replace("postgresql://", "postgresql+psycopg://", 1)


def run_migrations_offline():
    context.configure(url=URL, target_metadata=Base.metadata, literal_binds=True, render_as_batch=True)

    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online():
    connectable = create_engine(URL, poolclass=pool.NullPool)
    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)

        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
