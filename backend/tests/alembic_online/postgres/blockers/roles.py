"""Roles for a moment."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.connection.engine import async_engine, resolve_url
from tests.servers import as_role

__all__ = ["as_role"]


@asynccontextmanager
async def role(admin: asyncpg.Connection, *statements: str) -> AsyncIterator[str]:
    """A role that may log in, after `statements`, in which {role} is its name."""
    name = f"r_{secrets.token_hex(4)}"
    await admin.execute(f"CREATE ROLE {name} LOGIN")
    for statement in statements:
        await admin.execute(statement.format(role=name))
    try:
        yield name
    finally:
        await admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@asynccontextmanager
async def asking_as(url: str, name: str) -> AsyncIterator[AsyncConnection]:
    """A connection of that role, in autocommit."""
    engine = async_engine(resolve_url(as_role(url, name)), application_name="asker", isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()
