"""The five routes that are asked for most, against the same statements in bare ASGI: `python -m benchmarks.api`.

Both run under uvicorn with uvloop and httptools, with one process, on one machine, and log every request; they take
turns, and what is shown is the median of the turns. The API signs in, validates, and sends ETags and strict headers.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.http_load import Load, load
from src.db.hot_query import HotQuery
from src.db.queries import accounts, chapters, modules, progress
from tests.alembic_command import Alembic
from tests.servers import embedded

TURNS = 5
SECONDS = 2.0
SEED = """
INSERT INTO modules (slug, title, description, position, is_published)
    SELECT 'm' || n, 'Module ' || n, repeat('About it. ', 10), n, true FROM generate_series(1, 12) n;
INSERT INTO chapters (module_id, slug, title, description, position, is_published, content_html, learning_objectives)
    SELECT m.id, 'c' || n, 'Chapter ' || n, repeat('About it. ', 5), n, true, repeat('<p>Of it.</p>', 250), '{Know}'
    FROM modules m, generate_series(1, 12) n;
INSERT INTO translations (chapter_id, language_code, title, description, is_published)
    SELECT id, 'de', title, description, true FROM chapters;
INSERT INTO chapter_progress (user_id, chapter_id, status, progress_percentage, time_spent_seconds)
    SELECT u.id, c.id, 'completed', 100, 900 FROM users u, chapters c WHERE c.position < 7;
ANALYZE;
"""


@dataclass(frozen=True)
class Route:
    """A path of the API, the statement behind it, and whether one signs in for it."""

    path: str
    query: HotQuery
    values: dict[str, Any]
    signed_in: bool
    column: int = 0
    """Where the answer stands."""


@dataclass(frozen=True)
class Server:
    """A process that serves."""

    port: int
    pid: int


def routes(user: UUID) -> list[Route]:
    """The hottest ones."""
    chapter = {"module": "m3", "chapter": "c3", "languages": [], "original": "en", "accepts_original": True}
    students = {"everything": False}
    return [
        Route("/modules", modules._LIST.for_anyone, students, False),
        Route("/modules/m3", modules._WITH_CHAPTERS.for_anyone, {"slug": "m3", "user": user, **students}, True),
        Route("/modules/m3/chapters/c3", chapters._GET.for_anyone, chapter | students, False),
        Route("/progress", progress._AT_A_GLANCE.for_anyone, {"user": user}, True),
        Route("/me", accounts.STANDING_AND_JSON, {"user": user}, True, column=len(accounts.Standing._fields)),
    ]


@contextmanager
def serving(application: str, environment: dict[str, str]) -> Iterator[Server]:
    """`application` under uvicorn, on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", application, "--factory", "--port", str(port)]
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the server does not start")


def _student(address: str) -> tuple[dict[str, str], UUID]:
    """The headers and the id of somebody who has signed in."""
    account = {"email": "ada@example.org", "password": "correct horse battery", "name": "Ada"}
    with httpx.Client(base_url=address, timeout=30) as client:
        user = UUID(client.post("/accounts", json=account).json()["id"])
        form = {"username": account["email"], "password": account["password"]}
        token = client.post("/auth/token", data=form).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}, user


def _bare_routes(measured: list[Route]) -> str:
    def plain(value: Any) -> Any:
        return {"uuid": str(value)} if isinstance(value, UUID) else value

    return json.dumps(
        {
            each.path: (each.query.text, each.column, [plain(v) for v in each.query.arguments(each.values)])
            for each in measured
        }
    )


def measure(route: Route, ours: Server, bare: Server, headers: dict[str, str]) -> tuple[list[Load], list[Load]]:
    """Both servers' turns on one route, the first of each not counted."""
    loads: tuple[list[Load], list[Load]] = ([], [])
    for _ in range(TURNS + 1):
        sent = headers if route.signed_in else {}
        loads[0].append(load(ours.port, ours.pid, f"/api/v1{route.path}", sent, SECONDS))
        loads[1].append(load(bare.port, bare.pid, route.path, {}, SECONDS))
    return loads[0][1:], loads[1][1:]


def row(route: Route, ours: list[Load], bare: list[Load]) -> list[str]:
    """A line of the table."""

    def median(loads: list[Load], what: str) -> float:
        return float(statistics.median(getattr(each, what) for each in loads))

    rate, ceiling = median(ours, "per_second"), median(bare, "per_second")
    cpu, least = median(ours, "cpu"), median(bare, "cpu")
    return [
        f"`GET {route.path}`" + (" (signed in)" if route.signed_in else ""),
        f"{rate:.0f}",
        f"{ceiling:.0f}",
        f"{rate / ceiling:.2f}",
        f"{median(ours, 'p99') * 1000:.0f} ms",
        f"{median(bare, 'p99') * 1000:.0f} ms",
        f"{cpu * 1e6:.0f} us",
        f"{least * 1e6:.0f} us",
        f"{least / cpu:.2f}",
    ]


def main() -> None:
    """Print the table."""
    table = Table("route", "ours/s", "bare/s", "ratio", "p99", "bare p99", "CPU", "bare CPU", "ratio of CPU")
    with ExitStack() as stack:
        database = stack.enter_context(embedded(18))
        url = stack.enter_context(database.database())
        Alembic(Path(__file__).resolve().parents[1] / "alembic.ini")(url, "upgrade", "head")
        production = {"DATABASE_URL": url, "SYLLABUS_ENV": "production", "SECRET_KEY": "k" * 48}
        ours = stack.enter_context(serving("src.api.app:create_app", production))
        headers, user = _student(f"http://127.0.0.1:{ours.port}/api/v1")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SEED)
        measured = routes(user)
        bare_environment = {"DATABASE_URL": url, "BARE_ROUTES": _bare_routes(measured)}
        bare = stack.enter_context(serving("benchmarks.bare_api:create_app", bare_environment))
        for route in measured:
            table.add_row(*row(route, *measure(route, ours, bare, headers)))
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
