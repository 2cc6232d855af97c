"""Commands from code, inside a running event loop."""

import asyncio
import logging

import pytest
from alembic.config import Config

from alembic_online.api import check, current, downgrade, pending, upgrade
from alembic_online.errors import DatabaseMismatch, RequestRefused
from tests.alembic_online.project import Project


@pytest.fixture
def config(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A project of two revisions on an empty database."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("MIGRATION_ALLOW_DATA_LOSS", "true")
    column = 'Column("id", Integer, primary_key=True, autoincrement=False)'
    project.models(f'Table("a", metadata, {column})\nTable("b", metadata, {column})')
    table = 'op.create_table("{0}", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False))'
    project.revision("001_a", None, table.format("a"), 'op.drop_table("a")')
    project.revision("002_b", "001_a", table.format("b"), 'op.drop_table("b")')
    return Config(project.folder / "alembic.ini")


def test_a_database_is_followed_from_empty_to_head_and_back_in_one_loop(config: Config) -> None:
    async def follow() -> None:
        assert (await current(config), await pending(config)) == ((), ["001_a", "002_b"])
        await upgrade(config, "001_a")
        assert (await current(config), await pending(config)) == (("001_a",), ["002_b"])
        await upgrade(config)
        assert (await pending(config), await check(config)) == ([], [])
        await downgrade(config, "base")
        assert await current(config) == ()

    asyncio.run(follow())


def test_check_says_in_words_what_differs(config: Config, project: Project) -> None:
    asyncio.run(upgrade(config))
    project.models("")
    assert asyncio.run(check(config)) == ["a", "  table: removed", "b", "  table: removed"]


def test_commands_that_are_started_together_all_end(config: Config) -> None:
    async def start() -> None:
        await asyncio.gather(*(upgrade(config) for _ in range(4)), pending(config), current(config))
        assert await current(config) == ("002_b",)

    asyncio.run(start())


def test_what_a_command_refuses_is_raised(config: Config) -> None:
    with pytest.raises(RequestRefused, match="No revision is called"):
        asyncio.run(upgrade(config, "nowhere"))
    with pytest.raises(DatabaseMismatch):
        asyncio.run(check(config))


def test_nothing_is_printed_and_no_logger_is_touched(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    before = (logging.root.level, list(logging.root.handlers), logging.getLogger("alembic").level)
    asyncio.run(upgrade(config))
    assert (logging.root.level, list(logging.root.handlers), logging.getLogger("alembic").level) == before
    assert capsys.readouterr() == ("", "")
