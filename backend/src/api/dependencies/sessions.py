"""What routes ask for: a session in a transaction, to write or only to read, the engine, the code's revisions.

All are coroutines: FastAPI runs a plain function in a thread, which costs more than a query.
"""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from alembic.script import ScriptDirectory
from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from src.api.replica.position import remember
from src.api.replica.reads import Replica
from src.api.resources import Resources
from src.api.security.rate_limit import PER_ADDRESS, network
from src.db.hot_query import Reader
from src.db.session import unit_of_work
from src.db.wal import WRITTEN


async def get_resources(request: Request) -> Resources:
    return cast(Resources, request.app.state.resources)


OpenResources = Annotated[Resources, Depends(get_resources)]


async def answering(request: Request, resources: Resources) -> Resources | Replica:
    """Where the request reads: on the replica if there is one that may answer it."""
    replica = resources.replica
    return replica if replica is not None and await replica.may_answer(request) else resources


async def get_session(request: Request, resources: OpenResources) -> AsyncIterator[AsyncSession]:
    """One transaction a request, committed here when the route returns and rolled back when it raises."""
    async with unit_of_work(resources.sessions) as session:
        yield session
    if resources.replica is not None:
        remember(request, await resources.reader.value(WRITTEN))


async def get_read_session(request: Request, resources: OpenResources) -> AsyncIterator[AsyncSession]:
    """One short transaction for a route that only reads, on the replica if it may answer this request."""
    where = await answering(request, resources)
    async with unit_of_work(where.sessions) as session:
        yield session


async def get_reader(request: Request) -> Reader:
    """For a route whose answer is one hot query, on the replica if it may answer this request."""
    return (await answering(request, cast(Resources, request.app.state.resources))).reader


async def get_engine(resources: OpenResources) -> AsyncEngine:
    return resources.engine


async def get_scripts(resources: OpenResources) -> ScriptDirectory:
    return resources.scripts


async def _count_address(request: Request, resources: OpenResources) -> None:
    resources.attempts.spend(PER_ADDRESS, network(request.client.host) if request.client else "unknown")


CountedByAddress = Depends(_count_address)
"""For `dependencies=` of every route that hashes a password: hashing is what makes it expensive to be asked."""

# "function": the commit comes before the answer. With FastAPI's default, a commit that fails is answered with 200.
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(get_read_session, scope="function")]
Reads = Annotated[Reader, Depends(get_reader)]
Engine = Annotated[AsyncEngine, Depends(get_engine)]
Scripts = Annotated[ScriptDirectory, Depends(get_scripts)]
