"""An Alembic project, seen from outside of its commands: its revision files, its models and its database.

The verbs need the models, and only env.py knows them. So env.py is run as Alembic runs it, and says them when it calls
`run_environment`.
"""

import os
from collections.abc import Mapping, Sequence
from configparser import InterpolationError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData

from alembic_online.errors import RequestRefused
from alembic_online.policy import Policy
from alembic_online.postgres.connection.engine import resolve_url
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.variable import Variable
from alembic_online.revisions.graph import load_chain
from alembic_online.revisions.model_import import explain_failing_models
from alembic_online.runtime.bookkeeping import VERSION_TABLE
from alembic_online.runtime.current_command import x_arguments
from alembic_online.runtime.own_thread import outside_of_loops

RECEIVER = "safety.project"
"""The attribute of the Config under which env.py finds whom to tell."""


@dataclass(frozen=True)
class OwnSession:
    """What an env.py makes of its connection, and where it has its revisions stamped."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """What it has SET, such as the search_path of a tenant."""
    version_table: str = VERSION_TABLE
    version_schema: str | None = None
    """None: where the search_path leads."""
    filters: Mapping[str, Any] = field(default_factory=dict)
    """`include_name` and `include_object` of `context.configure()`."""


Told = tuple[MetaData, str, Policy, OwnSession]


class ProjectTold(BaseException):
    """Ends an env.py that has said what was asked of it, and would go on to run revisions."""


@dataclass(frozen=True)
class Project:
    """One Alembic environment."""

    config: Config
    scripts: ScriptDirectory
    metadata: MetaData
    url: str
    policy: Policy
    session: OwnSession = field(default_factory=OwnSession)

    @property
    def folder(self) -> Path:
        """Where env.py is."""
        return Path(self.scripts.dir)

    @property
    def stamped(self) -> tuple[str, str | None]:
        """The name of the version table, and its schema if env.py names one."""
        return self.session.version_table, self.session.version_schema

    @property
    def target(self) -> DatabaseURL:
        """The database; an embedded server is started. Raises `InvalidURL`, `ServerUnreachable`."""
        return resolve_url(self.url)


def open_project(config: Config | None = None) -> Project:
    """The project of `config`, by default the one that `alembic` would find in the working directory.

    Raises `RequestRefused` where there is none, `BrokenChain` for its files.
    """
    config = config or config_here()
    return project_of(config, scripts_of(config))


def scripts_of(config: Config) -> ScriptDirectory:
    """Its revision files. Raises `RequestRefused` where there is no project."""
    try:
        return _scripts(config)
    except CommandError as error:
        raise RequestRefused(
            f"There is no Alembic project here: {str(error).rstrip('.')}.",
            "Run it where alembic.ini is, as alembic is.",
        ) from error


def project_of(config: Config, scripts: ScriptDirectory) -> Project:
    """The project that has these revision files. Raises as `open_project`."""
    load_chain(scripts)
    told = _told(config, scripts)
    if told is None:
        raise RequestRefused(
            "This env.py calls neither online() nor run_environment().",
            "Write `with online(context):` where it says `with context.begin_transaction():`.",
        )
    return Project(config, scripts, *told)


def place_here(arguments: Sequence[str] = ()) -> tuple[str, OwnSession] | None:
    """The URL of the database of the project in the working directory, as its env.py names it, and what it SETs there.

    None where there is no project. No revision is looked at: one that is broken need not be mended first.
    """
    config = config_here(arguments)
    try:
        scripts = _scripts(config)
    except CommandError:
        return None
    told = _told(config, scripts)
    return (told[1], told[3]) if told else None


def url_of_the_environment(environ: Mapping[str, str] = os.environ) -> Variable:
    """The database where no env.py names one. Raises `RequestRefused` where no variable does either."""
    for name in ("MIGRATION_DATABASE_URL", "DATABASE_URL"):
        if name in environ:  # also an empty one: it is a secret that did not arrive, and the sentence names it
            return Variable(environ[name], name)
    raise RequestRefused(
        "No database is named: there is no Alembic project here, and DATABASE_URL is not set.",
        "Run it where alembic.ini is, or set DATABASE_URL.",
    )


def _scripts(config: Config) -> ScriptDirectory:
    try:
        return ScriptDirectory.from_config(config)
    except InterpolationError as error:  # %(here)s is one of them, where a folder above is called so
        raise RequestRefused(
            f"Alembic cannot read {config.config_file_name}: {str(error).splitlines()[0]}.",
            "In its values a % is written %%; a folder with one in its name is to be called otherwise.",
        ) from error


def config_here(arguments: Sequence[str] = ()) -> Config:
    """Of the working directory; `arguments` are for env.py, as `alembic -x`."""
    return Config("alembic.ini", toml_file="pyproject.toml", cmd_opts=x_arguments(arguments))


def _told(config: Config, scripts: ScriptDirectory) -> Told | None:
    told: list[Told] = []

    def receive(metadata: MetaData, url: str, policy: Policy, session: OwnSession | None = None) -> None:
        told.append((metadata, url, policy, session or OwnSession()))

    config.attributes[RECEIVER] = receive
    try:
        with EnvironmentContext(config, scripts):
            outside_of_loops(scripts.run_env)
    except ProjectTold:
        pass
    except CommandError:
        raise
    except Exception as error:
        raise explain_failing_models(error) from error
    del config.attributes[RECEIVER]
    return told[0] if told else None
