"""What the doctor says of a database, for the tests of it."""

import asyncio

from sqlalchemy import create_engine, pool
from sqlalchemy.ext.asyncio import create_async_engine

from alembic_online.review.doctor import Finding, examine
from alembic_online.review.status import schema_status
from alembic_online.revisions.project import Project


async def _status(url: str, project: Project) -> object:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        return await schema_status(connection, project.scripts)


def examined(url: str, project: Project) -> list[Finding]:
    """Its findings."""
    status = asyncio.run(_status(url, project))
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return examine(connection, project, status, None)  # type: ignore[arg-type]
