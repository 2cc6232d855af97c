"""Verbs of the command line, run in this process."""

import asyncio
import io
import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from alembic_online.cli.main import main
from tests.paths import BACKEND


@contextmanager
def url_in_environment(url: str) -> Iterator[None]:
    """The database at hand is this one."""
    with patch.dict(os.environ, DATABASE_URL=url):
        os.environ.pop("MIGRATION_DATABASE_URL", None)
        yield


async def verb(url: str, *arguments: str, folder: Path = BACKEND) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command, run as a person without a terminal does, but in this process."""
    stdout, stderr = io.StringIO(), io.StringIO()
    nobody, said = patch.object(sys, "stdin", io.StringIO()), redirect_stdout(stdout)
    with url_in_environment(url), chdir(folder), nobody, said, redirect_stderr(stderr):
        code = await asyncio.to_thread(main, arguments)
    return code, stdout.getvalue(), stderr.getvalue()
