"""The application behind a real server, for what only that shows: streams, and a client that goes away."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from httpx import AsyncClient


@asynccontextmanager
async def over_http(app: FastAPI, like: AsyncClient) -> AsyncIterator[AsyncClient]:
    """`app`, already started, served by uvicorn on a port of its own, and a client signed in as `like` is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, lifespan="off", log_level="error", ws="none", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
        async with AsyncClient(base_url=address, headers=like.headers) as client:
            yield client
        server.should_exit = True
        await serving
