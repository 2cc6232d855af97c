"""What a verb of the command line is."""

from argparse import ArgumentParser, Namespace
from typing import Protocol

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from src.settings import Settings


class Verb(Protocol):
    """A module of this package, such as `importing`: `NAME`, `HELP`, its arguments, and what it does."""

    NAME: str
    HELP: str
    WHEN_STOPPED: str
    """What somebody who has stopped it should know."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what comes after the verb."""

    async def run(
        self, sessions: async_sessionmaker[AsyncSession], options: Namespace, settings: Settings, console: Console
    ) -> int:
        """Do it, and return the exit code. Raises `UserError` for what the user can mend."""
