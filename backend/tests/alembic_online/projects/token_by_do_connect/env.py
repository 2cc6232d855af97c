"""No password is in any URL: each connection asks for a token."""

import vault
from alembic import context
from models import Base
from sqlalchemy import create_engine, event, pool

target_metadata = Base.metadata


def get_engine():
    engine = create_engine("postgresql+psycopg://", poolclass=pool.NullPool)

    @event.listens_for(engine, "do_connect")
    def provide_token(dialect, connection_record, arguments, parameters):
        parameters.update(vault.credentials())

    return engine


def run_migrations_online():
    with get_engine().connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)
        with context.begin_transaction():
            context.run_migrations()


run_migrations_online()
