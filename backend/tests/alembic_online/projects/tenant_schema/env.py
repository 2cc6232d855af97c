"""One schema a tenant: `alembic -x tenant=acme upgrade head`, as Alembic's cookbook has it."""

import os

from alembic import context
from models import Base
from sqlalchemy import create_engine, pool, text

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
tenant = context.get_x_argument(as_dictionary=True).get("tenant")
if not tenant:
    raise SystemExit("Say whose schema it is: alembic -x tenant=NAME ...")

engine = create_engine(URL, poolclass=pool.NullPool)
with engine.connect() as connection:
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{tenant}"'))
    connection.execute(text(f'SET search_path TO "{tenant}"'))
    connection.commit()
    connection.dialect.default_schema_name = tenant

    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        version_table_schema=tenant,
        include_name=lambda name, type_, parents: name != "alembic_version",
    )
    with context.begin_transaction():
        context.run_migrations()
