"""The machine and the settings: nothing here needs a server."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from alembic_online.policy import PREFIX, RENAMED, Policy
from alembic_online.postgres.errors import UserError
from alembic_online.review.doctor.finding import Finding, fine, note, wrong

_OLDEST_PYTHON = (3, 11)
_LITTLE_DISK = 2e9  # bytes
_LIBRARIES = ("alembic", "sqlalchemy", "asyncpg", "pgvector")
_VARIABLES = {"MIGRATION_DATABASE_URL"}


def machine(folder: Path) -> Iterator[Finding]:
    """Python, libraries, disk, and whether new revisions are formatted."""
    python = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        yield wrong("Python", f"{python} is too old.", "Use 3.11 or newer.")
    else:
        yield fine("Python", python)
    yield fine("libraries", ", ".join(f"{name} {found}" for name in _LIBRARIES if (found := _version(name))))
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_DISK:
        yield wrong(
            "disk here", f"{free / 1e9:.1f} GB are free.", "Free some: the embedded server keeps its data here."
        )
    else:
        yield fine("disk here", f"{free / 1e9:.0f} GB are free")
    if importlib.util.find_spec("ruff") is None:
        yield note("ruff", "is not installed: new revisions are not formatted.", "Install it: pip install ruff.")


def settings(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """The variables that are read, and those that look like it and are not. No value is shown."""
    try:
        policy = Policy.from_environment(environ)
    except UserError as error:
        yield wrong("settings", error.problem, error.remedy)
        return
    known = {f"{PREFIX}{name.upper()}" for name in Policy.__dataclass_fields__} | _VARIABLES
    for name in sorted(environ):
        if (now := RENAMED.get(name.removeprefix(PREFIX).lower())) and name.startswith(PREFIX):
            yield note("settings", f"{name} is called {PREFIX}{now.upper()} now.", "Write that; the old name will go.")
        elif name.startswith(PREFIX) and name not in known:
            yield wrong("settings", f"{name} is set, and nothing reads it.", "Correct its name, or unset it.")
    chosen = sorted(name for name in known if name in environ)
    yield fine(
        "settings", f"{'production' if policy.production else 'development'}; set: {', '.join(chosen) or 'none'}"
    )


def _version(name: str) -> str:
    """The installed one; "" where nobody needed it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
