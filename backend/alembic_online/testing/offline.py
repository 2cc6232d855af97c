"""`alembic upgrade head --sql`, and its script carried out by psql."""

import io
import subprocess

from alembic import command

from alembic_online.errors import RevisionFailed
from alembic_online.postgres.embedded import program
from alembic_online.revisions.config_origin import ConfigOrigin
from alembic_online.revisions.project import Project
from alembic_online.testing.sandbox import Ground


def script(project: Project) -> str:
    """What `upgrade heads --sql` writes. Raises `UserError`."""
    written = io.StringIO()
    command.upgrade(ConfigOrigin.of(project.config).config(written), "heads", sql=True)
    return written.getvalue()


def by_script(ground: Ground, sql: str) -> None:
    """Run the script as a person does, with psql, which stops at the first error. Raises `RevisionFailed`."""
    psql = [str(program("psql")), "-q", "-v", "ON_ERROR_STOP=1", ground.target.dsn]
    done = subprocess.run(psql, input=sql, text=True, capture_output=True, check=False)
    if done.returncode:
        raise RevisionFailed(f"psql: {done.stderr.strip()[:300]}", "Compare it with: alembic upgrade head --sql")
