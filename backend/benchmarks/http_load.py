"""Clients that ask one address as fast as it is answered, each on a connection of its own."""

import asyncio
import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

CLIENTS = 16


@dataclass(frozen=True)
class Load:
    """What one address has borne."""

    per_second: float
    p99: float
    """Seconds."""
    cpu: float
    """Seconds of the server process for one request."""


class _Client(asyncio.Protocol):
    """HTTP/1.1 as far as this server speaks it: one request after the other, answers with a Content-Length."""

    def __init__(self, request: bytes, latencies: list[float]) -> None:
        self._request = request
        self._latencies = latencies
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._begun = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        assert head.startswith(b"HTTP/1.1 200"), head
        self._latencies.append(time.perf_counter() - self._begun)
        self._received = b""
        self._ask()

    def stop(self) -> None:
        self._transport.abort()


def load(port: int, pid: int, path: str, headers: dict[str, str], seconds: float) -> Load:
    """Ask `path` of the server on `port`, whose process is `pid`, for so many seconds."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": "benchmark"} | headers).items())
    request = f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()
    cpu_before, begun = _cpu_seconds(pid), time.perf_counter()
    latencies = uvloop.run(_ask_all(port, request, seconds))
    elapsed, cpu = time.perf_counter() - begun, _cpu_seconds(pid) - cpu_before
    latencies.sort()
    return Load(len(latencies) / elapsed, latencies[int(len(latencies) * 0.99)], cpu / len(latencies))


async def _ask_all(port: int, request: bytes, seconds: float) -> list[float]:
    latencies = list[float]()
    loop = asyncio.get_running_loop()
    clients = [_Client(request, latencies) for _ in range(CLIENTS)]
    await asyncio.gather(*(loop.create_connection(partial(_itself, client), "127.0.0.1", port) for client in clients))
    await asyncio.sleep(seconds)
    for client in clients:
        client.stop()
    return latencies


def _itself(client: _Client) -> _Client:
    return client


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
