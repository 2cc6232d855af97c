"""The env.py of an example: its models and its database are read from files beside it."""

import json
from pathlib import Path
from typing import Any

from alembic import context
from sqlalchemy import NullPool, create_engine

from alembic_online.environment import run_environment
from alembic_online.policy import Policy
from alembic_online.testing.crucible.models import metadata_of
from alembic_online.testing.crucible.schema import from_json

MODELS, PLACE = "models.json", "place.json"


def run() -> None:
    """Run the command at hand by the toolkit, or as plain Alembic does where `place.json` says so."""
    folder = Path(context.script.dir)
    place: dict[str, Any] = json.loads((folder / PLACE).read_text())
    if place["plain"]:
        _plainly(place["url"])
        return
    models = from_json(json.loads((folder / MODELS).read_text()))
    run_environment(metadata_of(models), url=place["url"], policy=Policy(**place["policy"]))


def _plainly(url: str) -> None:
    """What Alembic's own template does."""
    engine = create_engine(with_driver(url, "psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


def with_driver(url: str, driver: str) -> str:
    """The URL with this driver in it; none for the empty one."""
    return url.replace("postgresql:", f"postgresql+{driver}:" if driver else "postgresql:", 1)
