"""Promise: while a migration changes the tables that requests use, no request fails."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import event

from src.api.app import MIGRATIONS
from tests.alembic_online.project import Project
from tests.alembic_online.runner.processes import migrators, until
from tests.api.course import put_translation, small_course
from tests.db.queries.library import values

ONE = "modules/first/chapters/one"
HEAD = str(ScriptDirectory(str(MIGRATIONS)).get_current_head())
UPGRADE = [
    'op.add_column("chapters", sa.Column("subtitle", sa.Text()))',
    'op.create_index("ix_chapters_title", "chapters", ["title"])',
    'op.create_check_constraint("ck_chapters_position", "chapters", "position >= 0")',
    'op.alter_column("modules", "title", type_=sa.Text())',
    'op.alter_column("chapter_progress", "time_spent_seconds", type_=sa.BigInteger())',
]
DOWNGRADE = [
    'op.alter_column("chapter_progress", "time_spent_seconds", type_=sa.Integer())',
    'op.alter_column("modules", "title", type_=sa.String(255))',
    'op.drop_constraint("ck_chapters_position", "chapters", type_="check")',
    'op.drop_index("ix_chapters_title", "chapters")',
    'op.drop_column("chapters", "subtitle")',
]
_ENUM = (
    "ALTER TYPE {enum} RENAME TO former; CREATE TYPE {enum} AS ENUM ({labels});"
    "ALTER TABLE {table} ALTER {column} DROP DEFAULT, ALTER {column} TYPE {enum} USING {column}::text::{enum},"
    " ALTER {column} SET DEFAULT '{default}'; DROP TYPE former"
)
_VECTOR = (
    "DROP INDEX ix_embeddings_embedding; ALTER TABLE embeddings ALTER embedding TYPE {type}(1536);"
    "CREATE INDEX ix_embeddings_embedding ON embeddings USING hnsw (embedding {type}_cosine_ops)"
)
TYPES = [
    _ENUM.format(
        enum="progress_status",
        labels="'not_started', 'in_progress', 'completed'",
        table="chapter_progress",
        column="status",
        default="not_started",
    ),
    _VECTOR.format(type="halfvec"),
    _ENUM.format(
        enum="submission_status",
        labels="'pending', 'reviewing', 'approved', 'rejected'",
        table="capstone_submissions",
        column="status",
        default="pending",
    ),
    _VECTOR.format(type="vector"),
    "ALTER TABLE embeddings ALTER chunk_index TYPE real",
    _ENUM.format(enum="theme", labels="'light', 'dark', 'system'", table="users", column="theme", default="system"),
    "ALTER TABLE embeddings ALTER chunk_index TYPE integer",
]
"""Each type that is made again has another OID; `real` has the width of `integer`, and other bytes."""
PAUSE = 0.05  # seconds between an answer and the next request: people pause too, and a service has room to spare
Requests = list[Callable[[], Awaitable[Response]]]


@pytest.fixture
def changing(tmp_path: Path) -> Project:
    """The project's own migrations, and one more that changes three tables that requests are using."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "alembic.ini").write_text(
        f"[alembic]\nscript_location = {folder}\nprepend_sys_path = {MIGRATIONS.parent}\npath_separator = os\n"
    )
    project = Project(folder)
    project.revision(
        "900_load", parent=HEAD, upgrade="; ".join(UPGRADE), downgrade="; ".join(DOWNGRADE), phase="expand"
    )
    return project


@pytest.fixture
async def requests(api: AsyncClient, student: AsyncClient, administrator: AsyncClient) -> Requests:
    """Reads and writes of the tables that change."""
    await small_course(administrator)
    await put_translation(administrator, "first/chapters/one", "de")
    count = iter(range(1_000_000))
    title = {"slug": "second", "title": "Second", "is_published": True}
    return [
        lambda: api.get("modules"),
        lambda: student.get("modules/first"),
        lambda: api.get(ONE, params={"lang": "de"}),
        lambda: student.get("progress"),
        lambda: student.get(f"{ONE}/progress"),
        lambda: student.put(f"{ONE}/progress", json={"time_spent_seconds": next(count)}),
        lambda: administrator.get(f"{ONE}/statistics"),
        lambda: administrator.put("modules/second", json=title, headers={"If-Match": "*"}),
        lambda: administrator.patch("modules", json={"order": ["second", "first", "hidden"]}),
    ]


@asynccontextmanager
async def under_load(requests: Requests) -> AsyncIterator[list[Response]]:
    """Every request again and again, each by itself and at its own pace, while the block runs."""
    answers: list[Response] = []
    ended = asyncio.Event()

    async def repeat(request: Callable[[], Awaitable[Response]]) -> None:
        while not ended.is_set():
            answers.append(await request())
            await asyncio.sleep(PAUSE)

    async with asyncio.TaskGroup() as group:
        for request in requests:
            group.create_task(repeat(request))
        yield answers
        ended.set()


@pytest.mark.parametrize("small_table", ["1000000", "0"], ids=["directly", "the online way"])
async def test_no_request_fails_while_the_tables_change(
    served: FastAPI, requests: Requests, student: AsyncClient, migrated: str, changing: Project, small_table: str
) -> None:
    met: list[str] = []

    def note(context: Any) -> None:
        met.append(str(context.original_exception))

    def migrate() -> None:
        # How long a request may wait is another promise (tests/alembic_online); while other tests run it is long.
        settings = {
            "MIGRATION_ALLOW_DATA_LOSS": "true",
            "MIGRATION_LOCK_TIMEOUT": "0.5",
            "MIGRATION_SMALL_TABLE_BYTES": small_table,
        }
        with migrators() as start:
            for command in (["upgrade", "head"], ["downgrade", HEAD]):
                running = start(changing, migrated, *command, **settings)
                assert running.exit_code() == 0, running.output

    event.listen(served.state.resources.engine.sync_engine, "handle_error", note)
    async with under_load(requests) as answers:
        await asyncio.to_thread(migrate)
    assert [f"{each.request.method} {each.url} {each.text}" for each in answers if each.is_error] == [], Counter(met)
    assert len(answers) > 5 * len(requests)
    assert any("cached statement plan is invalid" in error for error in met), "what is repeated has happened"
    saved = [
        each.json()["time_spent_seconds"]
        for each in answers
        if each.url.path.endswith("progress") and each.request.method == "PUT"
    ]
    assert (await student.get(f"{ONE}/progress")).json()["time_spent_seconds"] == saved[-1] == len(saved) - 1


async def test_no_request_fails_and_no_value_is_wrong_while_types_are_made_again(
    served: FastAPI, api: AsyncClient, student: AsyncClient, administrator: AsyncClient, migrated: str
) -> None:
    """Every connection has prepared what names the former type by then."""
    await small_course(administrator)
    met: Counter[str] = Counter()
    project = {"title": "Rover", "description": "It rolls."}
    count = iter(range(1_000_000))

    def chunks() -> dict[str, Any]:
        number = next(count)
        return {"chunks": [{"content": f"{index} of {number}", "embedding": values(1, number)} for index in range(3)]}

    requests: Requests = [
        *[lambda: student.put(f"{ONE}/progress", json={"progress_percentage": 40})] * 2,
        lambda: student.get("progress"),
        lambda: student.post("capstone/submissions", json=project),
        lambda: administrator.get("capstone/queue"),
        lambda: student.patch("me", json={"theme": "dark"}),
        lambda: administrator.put(f"{ONE}/embeddings", json=chunks()),
        lambda: administrator.put("modules/second/chapters/two/embeddings", json=chunks()),
        lambda: api.post("search", json={"vector": values(1), "limit": 5}),
        lambda: api.post("search", json={"text": "one", "vector": values(1)}),
    ]

    def replace_types(answers: list[Response]) -> None:
        wrong = "SELECT content FROM embeddings WHERE content !~ ('^' || chunk_index || ' ')"
        wrong += " OR embedding::text !~ ('^.1,' || substring(content, '[0-9]+$') || ',')"
        with psycopg.connect(migrated) as connection:
            for statement in TYPES * 2:
                connection.execute(statement)
                connection.commit()
                enough = len(answers) + 2 * len(requests)  # so that they prepare what the next statement takes away
                until(lambda enough=enough: len(answers) > enough)  # type: ignore[misc]
                assert connection.execute(wrong).fetchall() == []

    event.listen(
        served.state.resources.engine.sync_engine,
        "handle_error",
        lambda context: met.update([str(context.original_exception)[:40]]),
    )
    async with under_load(requests) as answers:
        await asyncio.to_thread(replace_types, answers)
    assert [f"{each.request.method} {each.url} {each.text}" for each in answers if each.is_error] == [], met
    assert any("cache lookup failed" in error for error in met), met
