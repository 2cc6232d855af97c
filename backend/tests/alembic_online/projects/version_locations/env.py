"""Two chains in two folders, one of which needs the other; a template of the project's own."""

import os

from alembic import context
from models import metadata
from sqlalchemy import create_engine, pool

engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1), poolclass=pool.NullPool
)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table="newsroom_revision",
        version_table_pk=False,
        template_args={"team": "newsroom"},
    )
    with context.begin_transaction():
        context.run_migrations()
