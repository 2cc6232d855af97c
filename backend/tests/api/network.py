"""Networks that fail: a listener that never answers, and a proxy before PostgreSQL that can fall silent."""

import asyncio
import ctypes
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class SilentListener:
    """Accepts connections and never says a word; `called` and `empty` are set by the first and by the end of all."""

    def __init__(self) -> None:
        self.accepted = 0
        self.called = asyncio.Event()
        self.empty = asyncio.Event()
        self._open = 0

    async def serve(self, reader: Reader, writer: Writer) -> None:
        self.accepted += 1
        self._open += 1
        self.called.set()
        self.empty.clear()
        try:
            while await _read(reader):
                pass
        finally:
            self._open -= 1
            if self._open == 0:
                self.empty.set()
            writer.close()


# struct sock_filter: BPF_RET with 0, "nothing of this packet is to be kept" (Linux, filter.txt)
_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
_SO_ATTACH_FILTER = 26


class Proxy:
    """Passes bytes between a client and the server at `url` until it is silenced; then it swallows them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._silent = False
        self._lingers = False
        self.ended = asyncio.Event()
        self._open: list[Writer] = []
        self.server: asyncio.Server | None = None

    def vanish(self) -> None:
        """Lose every packet to come of the connections that are open, so that no kernel answers another either."""
        program = struct.pack("HL", 1, ctypes.addressof(_NOTHING))
        for writer in self._open:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)

    def silence(self) -> None:
        self._silent = True

    def hang_up(self) -> None:
        """End what is still open."""
        for writer in self._open:
            writer.close()

    def linger(self) -> None:
        """From now on pass on what an end says last, and not that it has hung up; `ended` is set when one has."""
        self._lingers = True

    def restore(self) -> None:
        """For connections that are opened from now on."""
        self._silent = False

    async def leave(self) -> None:
        """End every connection, and refuse those to come."""
        assert self.server is not None, "it listens"
        self.server.close()
        for writer in self._open:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def serve(self, reader: Reader, writer: Writer) -> None:
        server_reader, server_writer = await _connect(self._url)
        self._open += [writer, server_writer]
        await asyncio.gather(self._pass(reader, server_writer), self._pass(server_reader, writer))

    async def _pass(self, reader: Reader, writer: Writer) -> None:
        try:
            while data := await _read(reader):
                if not self._silent:
                    writer.write(data)
        finally:
            self.ended.set()
            if not self._lingers:
                writer.close()


@asynccontextmanager
async def listening(service: SilentListener | Proxy) -> AsyncIterator[int]:
    """Run `service` on a free port of this machine, which is yielded; all its connections are ended afterwards."""
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: Reader, writer: Writer) -> None:
        tasks.add(asyncio.create_task(service.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    if isinstance(service, Proxy):
        service.server = server
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(service, Proxy):
            service.hang_up()


def through(port: int, url: str) -> str:
    """`url` with the proxy's address in the place of the server's."""
    split = urlsplit(url)
    credentials = split.netloc.rpartition("@")[0].rstrip(":")
    return f"postgresql://{credentials}@127.0.0.1:{port}{split.path}?sslmode=disable"


async def _connect(url: str) -> tuple[Reader, Writer]:
    split = urlsplit(url)
    if sockets := parse_qs(split.query).get("host"):
        return await asyncio.open_unix_connection(f"{sockets[0]}/.s.PGSQL.{split.port or 5432}")
    return await asyncio.open_connection(split.hostname, split.port or 5432)


async def _read(reader: Reader) -> bytes:
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""
