"""Promise: after `embed` every chapter has the chunks of its text, and only new text was sent to the service."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from alembic_online.postgres.connection.url import parse_url
from alembic_online.postgres.errors import AccessRefused, ServerUnreachable
from src.course.cli import main
from tests.db.queries.library import add_chapter, add_module
from tests.inference.service import OpenAIService, Request, answer, busy, embed, never, openai_service, vector_of


@pytest.fixture
def service() -> Iterator[OpenAIService]:
    """A service in a loop of its own, because the command has one too."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened = openai_service()
    yield asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result()
    asyncio.run_coroutine_threadsafe(opened.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def course(migrated: str, service: OpenAIService, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with three chapters, and the environment of the command."""
    with psycopg.connect(migrated) as connection:
        add_module(connection, "tables")
        add_chapter(connection, "tables", "locks", description="Who waits.", content="<h2>Why</h2><p>A lock.</p>")
        add_chapter(connection, "tables", "index", content="<p>A tree.</p>", is_published=False)
        add_chapter(connection, "tables", "empty")
    monkeypatch.setenv("DATABASE_URL", migrated)
    monkeypatch.setenv("EMBEDDINGS_URL", service.endpoint().url)
    return migrated


def chunks(url: str) -> list[tuple[str, int, str]]:
    query = "SELECT slug, chunk_index, content FROM embeddings e JOIN chapters c ON c.id = chapter_id ORDER BY 1, 2"
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


ALL = [("index", 0, "Index\nA tree."), ("locks", 0, "Locks\nWho waits."), ("locks", 1, "Locks: Why\nA lock.")]


def test_every_chapter_gets_the_chunks_of_its_text(course: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embed"]) == 0
    assert chunks(course) == ALL
    assert capsys.readouterr().err == "3 chapters: 2 embedded, 1 unchanged.\n"
    with psycopg.connect(course) as connection:
        [stored] = connection.execute(
            "SELECT embedding::text FROM embeddings WHERE content LIKE '%tree%'"
        ).fetchone() or [""]
    assert [float(number) for number in stored.strip("[]").split(",")] == vector_of("Index\nA tree.")


def test_a_second_time_asks_nobody(course: str, service: OpenAIService) -> None:
    main(["embed"])
    service.requests.clear()
    assert main(["embed"]) == 0
    assert service.requests == []


def test_only_new_text_is_sent(course: str, service: OpenAIService) -> None:
    main(["embed"])
    service.requests.clear()
    with psycopg.connect(course) as connection:
        connection.execute("UPDATE chapters SET content_html = '<h2>Why</h2><p>Two.</p>' WHERE slug = 'locks'")
        connection.execute("UPDATE chapters SET content_html = '' WHERE slug = 'index'")
    assert main(["embed"]) == 0
    assert [request.body["input"] for request in service.requests] == [["Locks: Why\nTwo."]]
    assert chunks(course) == [ALL[1], ("locks", 1, "Locks: Why\nTwo.")]


def test_a_chapter_that_is_edited_meanwhile_is_left_for_the_next_time(
    course: str, service: OpenAIService, capsys: pytest.CaptureFixture[str]
) -> None:
    async def edit_then_embed(request: Request, writer: asyncio.StreamWriter) -> None:
        with psycopg.connect(course) as connection:
            connection.execute("UPDATE chapters SET title = 'Locked' WHERE slug = 'locks'")
        await embed(request, writer)

    service.embeddings = edit_then_embed
    assert main(["embed"]) == 0
    assert "1 changed meanwhile, run it again" in capsys.readouterr().err
    service.embeddings = embed
    assert main(["embed"]) == 0
    assert ("locks", 0, "Locked\nWho waits.") in chunks(course)


def test_chapters_do_not_wait_for_each_others_vectors(course: str, service: OpenAIService) -> None:
    both_ask = asyncio.Barrier(2)

    async def wait_for_the_other(request: Request, writer: asyncio.StreamWriter) -> None:
        await both_ask.wait()
        await embed(request, writer)

    service.embeddings = wait_for_the_other
    assert main(["embed"]) == 0
    assert chunks(course) == ALL


def test_a_service_that_has_too_many_requests_is_asked_again(course: str, service: OpenAIService) -> None:
    async def busy_at_first(request: Request, writer: asyncio.StreamWriter) -> None:
        await (busy if len(service.requests) < 4 else embed)(request, writer)

    service.embeddings = busy_at_first
    assert main(["embed"]) == 0
    assert chunks(course) == ALL


def test_one_that_never_has_fewer_stops_it(
    course: str, service: OpenAIService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.embeddings = busy
    assert main(["embed"]) == 1
    assert "The embedding service answered 429." in capsys.readouterr().err


def test_a_service_that_fails_stops_it_with_a_sentence(
    course: str, service: OpenAIService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.embeddings = answer("no", status=500)
    assert main(["embed"]) == 1
    said = capsys.readouterr().err
    assert "The embedding service answered 500." in said
    assert "Run it again: it goes on where it stopped." in said


def test_who_stops_it_is_told_that_it_goes_on_where_it_was(
    course: str, service: OpenAIService, capsys: pytest.CaptureFixture[str]
) -> None:
    async def stop(request: Request, writer: asyncio.StreamWriter) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await never(request, writer)

    service.embeddings = stop
    assert main(["embed"]) == 130
    said = "Stopped: embed. The chapters that were done stay so: run it again to go on.\n"
    assert capsys.readouterr().err == said
    service.embeddings = embed
    assert main(["embed"]) == 0
    assert chunks(course) == ALL


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_database_that_goes_away_in_the_middle_stops_it_with_a_sentence(
    course: str,
    service: OpenAIService,
    driver: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In between a chapter holds no connection: it is the next one that is refused."""
    database = parse_url(course)
    monkeypatch.setenv("DATABASE_URL", course.replace("postgresql", f"postgresql+{driver}", 1))

    async def close_then_embed(request: Request, writer: asyncio.StreamWriter) -> None:
        with psycopg.connect(database.at("postgres").dsn, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {database.database} ALLOW_CONNECTIONS false".encode())
        await embed(request, writer)

    service.embeddings = close_then_embed
    assert main(["embed"]) == AccessRefused.exit_code
    assert "The database lets nobody in" in capsys.readouterr().err


def test_a_server_that_is_gone_in_the_middle_stops_it_with_a_sentence(
    course: str, service: OpenAIService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = parse_url(course)
    if not place.host.startswith("/"):
        pytest.skip("its socket is a file, which can be moved away")
    with TemporaryDirectory() as folder:
        door = Path(folder, "door")
        door.symlink_to(place.host)

        async def leave_then_embed(request: Request, writer: asyncio.StreamWriter) -> None:
            await asyncio.to_thread(lambda: door.unlink(missing_ok=True))
            await embed(request, writer)

        service.embeddings = leave_then_embed
        monkeypatch.setenv("DATABASE_URL", course.replace(place.host, str(door)))
        assert main(["embed"]) == ServerUnreachable.exit_code
    assert "Nobody answers for" in capsys.readouterr().err


def test_without_a_service_it_says_what_to_set(
    course: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EMBEDDINGS_URL")
    assert main(["embed"]) == 1
    assert "Set EMBEDDINGS_URL" in capsys.readouterr().err
