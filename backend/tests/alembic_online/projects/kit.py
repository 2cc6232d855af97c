"""`python -m tests.alembic_online.projects.kit [-x NAME=VALUE]`: what the test kit finds in the project here."""

import sys
from argparse import Namespace

from alembic.config import Config

from alembic_online.revisions.project import open_project
from alembic_online.testing import Kit


def main() -> None:
    """Print each finding on a line."""
    config = Config("alembic.ini", cmd_opts=Namespace(x=sys.argv[2:]))
    for finding in Kit(open_project(config)).examine():
        print(f"FOUND {finding.check}: {finding}")  # noqa: T201


if __name__ == "__main__":
    main()
