"""Two Alembic projects with the same revisions: the stock async environment, and ours."""

from pathlib import Path

from alembic.config import Config

_STOCK_ENV = Path(Config().get_template_directory()) / "async" / "env.py"
_OURS_ENV = """\
import os

from sqlalchemy import MetaData

from alembic_online import run_environment

run_environment(MetaData(), url=os.environ["DATABASE_URL"])
"""
_INI = """\
[alembic]
script_location = %(here)s
prepend_sys_path = {backend}
path_separator = os
sqlalchemy.url = {url}

[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
"""
_REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {parent!r}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
"""


def make(folder: Path, environment: str, url: str, upgrades: list[str], downgrades: list[str] | None = None) -> Config:
    """A project of `environment` ("plain" or "ours") with a revision for each of `upgrades`."""
    (folder / "versions").mkdir(parents=True)
    backend = Path(__file__).resolve().parents[1]
    asyncpg = url.replace("postgresql:", "postgresql+asyncpg:")
    (folder / "alembic.ini").write_text(_INI.format(backend=backend, url=asyncpg.replace("%", "%%")))
    (folder / "env.py").write_text(_OURS_ENV if environment == "ours" else _STOCK_ENV.read_text())
    parent = None
    for number, upgrade in enumerate(upgrades, 1):
        revision = f"{number:03d}_step"
        downgrade = downgrades[number - 1] if downgrades else "pass"
        text = _REVISION.format(revision=revision, parent=parent, upgrade=upgrade, downgrade=downgrade)
        (folder / "versions" / f"{revision}.py").write_text(text)
        parent = revision
    return Config(folder / "alembic.ini")
