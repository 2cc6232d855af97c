"""`service=` in a URL names a section of a file with connection parameters (PostgreSQL 18, section 34.17)."""

import configparser
import os
from pathlib import Path

from alembic_online.postgres.errors import InvalidURL


def check_service(name: str, source: str) -> None:
    """Raise `InvalidURL` if the user's file has no such section: asyncpg would go on without it, to somewhere else."""
    path = Path(os.environ.get("PGSERVICEFILE") or Path.home() / ".pg_service.conf")
    file = configparser.ConfigParser(interpolation=None)
    try:
        found = file.read(path)
    except configparser.Error as error:
        raise InvalidURL(f"The service file {path} cannot be read: {error.message}.", "Correct it.") from error
    if not found or not file.has_section(name):
        why = f"{path} does not have" if found else f"nothing defines: there is no {path}"
        raise InvalidURL(
            f"{source} names the service {name!r}, which {why}.",
            "Add it there, correct its name, or set PGSERVICEFILE to the file that has it.",
        )
