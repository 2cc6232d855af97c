"""`python -m src.db.psql`: a console on the database of DATABASE_URL, or on the embedded one while it runs."""

import subprocess
import sys

from alembic_online.postgres.connection.engine import resolve_url
from alembic_online.postgres.embedded import program
from alembic_online.postgres.errors import UserError
from src.settings import load_settings


def main() -> int:
    """Run psql, and return its exit code."""
    try:
        target = resolve_url(load_settings().database_url)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return subprocess.run([str(program("psql")), target.dsn, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
