"""The place of a database, as lint asks for it."""

from sqlalchemy import create_engine, pool

from alembic_online.postgres.scratch import Place, read_place


def place_of(url: str) -> Place:
    """What a scratch database beside it must be like."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        return read_place(connection)
