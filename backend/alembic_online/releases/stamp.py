"""One line by which every connection of an engine says what its process was built for."""

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Dialect, event
from sqlalchemy.pool import ConnectionPoolEntry

from alembic_online.alembic_seam import dependencies_of
from alembic_online.policy import PREFIX
from alembic_online.postgres.connection.sync_facade import AnyEngine, as_sync
from alembic_online.releases.label import Label
from alembic_online.revisions.graph import load_chain

BuiltFor = Config | ScriptDirectory | str | Sequence[str]
"""A project, whose heads count, or revisions by their ids."""
_DRIVERS = ("psycopg", "psycopg_async", "psycopg2", "asyncpg")


def stamp_engine(engine: AnyEngine, built_for: BuiltFor, *, product: str = "", release: str = "") -> AnyEngine:
    """Have each connection that `engine` opens from now on say product, release and head revision; returns it.

    `built_for` is the project's `Config` or its `ScriptDirectory`, or the revision itself. Without them, `product` is
    MIGRATION_PRODUCT or the program's name, and `release` MIGRATION_APPLICATION_VERSION. Of psycopg, psycopg2 and
    asyncpg, also through PgBouncer; any other engine is left as it is. Raises `BrokenChain` for files that are none.
    """
    label = str(process_label(built_for, product=product, release=release))
    sync = as_sync(engine)
    if sync.dialect.name != "postgresql" or sync.dialect.driver not in _DRIVERS:
        return engine

    def say_at_start(dialect: Dialect, _: object, __: object, parameters: dict[str, Any]) -> None:
        """As a parameter of the connection itself: no round trip, and RESET ALL comes back to it."""
        if dialect.driver == "asyncpg":
            settings = parameters.get("server_settings") or {}
            parameters["server_settings"] = {**settings, "application_name": label}
        else:
            parameters["application_name"] = label

    def say_once_connected(connection: Any, _: ConnectionPoolEntry) -> None:
        """Where the engine makes its connections by a function of its own, whose parameters nobody sees."""
        if _said(connection) == label:
            return
        cursor = connection.cursor()
        try:
            cursor.execute(f"SELECT set_config('application_name', '{label}', false)")  # a label has no quotes
        finally:
            cursor.close()
        connection.commit()  # a rollback would take it back

    event.listen(sync, "do_connect", say_at_start)
    event.listen(sync, "connect", say_once_connected)
    return engine


def process_label(built_for: BuiltFor, *, product: str = "", release: str = "") -> Label:
    """What this process says, for whoever opens connections by himself: `application_name=str(process_label(...))`."""
    product = product or os.environ.get(f"{PREFIX}PRODUCT", "") or Path(sys.argv[0]).stem
    release = release or os.environ.get(f"{PREFIX}APPLICATION_VERSION", "")
    return Label.of(product, release, _heads(built_for), socket.gethostname())


def _heads(built_for: BuiltFor) -> Sequence[str]:
    if isinstance(built_for, str):
        return [built_for]
    scripts = ScriptDirectory.from_config(built_for) if isinstance(built_for, Config) else built_for
    if not isinstance(scripts, ScriptDirectory):
        return scripts
    load_chain(scripts)
    # What another one depends on comes with it, and only Alembic's own table has it among the heads.
    needed = {each for script in scripts.walk_revisions() for each in dependencies_of(script)}
    return [each for each in scripts.get_heads() if each not in needed]


def _said(connection: Any) -> str | None:
    """What the server has told the driver, without asking it again."""
    driver = getattr(connection, "driver_connection", connection)
    if hasattr(driver, "get_settings"):  # asyncpg
        said: str | None = getattr(driver.get_settings(), "application_name", None)
        return said
    ask = driver.info.parameter_status  # psycopg and psycopg2
    told: str | None = ask("application_name")
    return told
