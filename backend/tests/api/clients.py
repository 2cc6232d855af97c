"""A client of an application that runs in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Start `app`, and stop it at the end; what a route raises is answered as a server would, with 500."""
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), AsyncClient(transport=transport, base_url="http://syllabus") as client:
        yield client


async def not_ready(client: AsyncClient) -> dict[str, Any]:
    """The problem that /readyz answers, after checking its form, and that /livez does not mind."""
    answer = await client.get("/readyz")
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == 503
    assert problem["title"] == "Service Unavailable"
    assert_alive(await client.get("/livez"))
    return problem


def assert_alive(answer: Response) -> None:
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
