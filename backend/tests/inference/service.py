"""A service of OpenAI's API, small but real: it listens, and can be slow, fail, or talk nonsense."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from src.db.vector import DIMENSIONS
from src.settings import Endpoint

KEY = "sk-secret"
WORDS = ["Waiting", " is what", " a lock", " does."]


@dataclass
class Request:
    """What the service was asked."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


Respond = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def vector_of(text: str) -> list[float]:
    """Texts that share words are near each other."""
    values = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        values[crc32(word.encode()) % 64] += 1
    return values if any(values) else [1.0, *values[1:]]


@dataclass
class OpenAIService:
    """What it answers may be changed at any time; `requests` is what it was asked."""

    port: int = 0
    embeddings: Respond = field(default_factory=lambda: embed)
    chat: Respond = field(default_factory=lambda: tell(*WORDS))
    requests: list[Request] = field(default_factory=list)

    def endpoint(self, model: str = "text-embedding-3-small") -> Endpoint:
        return Endpoint(f"http://127.0.0.1:{self.port}/v1", model, KEY, "EMBEDDINGS_URL")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            self.requests.append(request)
            respond = self.embeddings if request.path == "/v1/embeddings" else self.chat
            await respond(request, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        finally:
            writer.close()


@asynccontextmanager
async def openai_service() -> AsyncIterator[OpenAIService]:
    """A service at a port of its own, which ends with the block whoever is still served."""
    service, tasks = OpenAIService(), set[asyncio.Task[None]]()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(service.serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(first.split()[1], headers, json.loads(body))


def head(writer: asyncio.StreamWriter, status: int, content_type: str, **others: str) -> None:
    """The end of the connection is the end of the body."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in others.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())


async def embed(request: Request, writer: asyncio.StreamWriter) -> None:
    """As OpenAI does, though in another order: the index is what counts."""
    data = [{"index": index, "embedding": vector_of(text)} for index, text in enumerate(request.body["input"])]
    await answer({"object": "list", "data": data[::-1]})(request, writer)


def answer(body: Any, status: int = 200) -> Respond:
    """Answer this, as JSON unless it is a string."""

    async def respond(_: Request, writer: asyncio.StreamWriter) -> None:
        head(writer, status, "application/json")
        writer.write((body if isinstance(body, str) else json.dumps(body)).encode())

    return respond


def tell(*words: str, then: Callable[[], Awaitable[object]] | None = None, end: str = "data: [DONE]\n\n") -> Respond:
    """Stream the words; between the first and the rest, wait for `then`."""

    async def respond(_: Request, writer: asyncio.StreamWriter) -> None:
        head(writer, 200, "text/event-stream")
        for index, word in enumerate(words):
            writer.write(f"data: {json.dumps({'choices': [{'delta': {'content': word}}]})}\n\n".encode())
            await writer.drain()
            if index == 0 and then:
                await then()
        writer.write(end.encode())

    return respond


async def busy(_: Request, writer: asyncio.StreamWriter) -> None:
    """Too many requests: ask again at once."""
    head(writer, 429, "application/json", Retry_After="0")


async def never(_: Request, writer: asyncio.StreamWriter) -> None:
    """Begin, and never say another word."""
    head(writer, 200, "text/event-stream")
    await writer.drain()
    await asyncio.get_running_loop().create_future()
