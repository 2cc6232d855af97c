"""What somebody's env.py passes to `context.configure`: it is run as Alembic runs it, up to its first revision.

`sqlalchemy.url` is that of a scratch database meanwhile, and so is DATABASE_URL where it is not set. Whatever other URL
env.py has, no engine of SQLAlchemy's leads anywhere else. Where that does not get on (a driver that is missing),
offline mode is tried, which needs no engine; and where env.py fails before it configures anything, its variable
`target_metadata` may have been set by then.
"""

import contextlib
import io
import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, event

from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.declared import one_metadata
from alembic_online.revisions.config_origin import ConfigOrigin
from alembic_online.revisions.project import RECEIVER, ProjectTold
from alembic_online.runtime.own_thread import outside_of_loops

_COMPARES = (
    "include_name",
    "include_object",
    "include_schemas",
    "compare_type",
    "compare_server_default",
    "version_table",
    "version_table_schema",
)
"""What of `context.configure` decides what is compared."""
_URL = "DATABASE_URL"
_MODELS = "target_metadata"
_NONE = f"its env.py passes no {_MODELS}"


@dataclass(frozen=True)
class Environment:
    """What is known of it."""

    metadata: MetaData
    """Empty where the models were not found."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of `context.configure`, those that decide what is compared."""
    failed: str = ""
    """Why the models were not found."""


def read_environment(config: Config, scripts: ScriptDirectory, scratch: DatabaseURL) -> Environment:
    """Run env.py until it would run revisions. Where that fails, why is said in the result."""
    path = Path(scripts.dir) / "env.py"
    failed = f"there is no {path.name}"
    for offline in (False, True) if path.exists() else ():
        asked = _Asked(path)
        failed = asked.run(config, scripts, scratch, offline=offline) or failed
        if asked.options is not None:
            metadata = asked.options.get(_MODELS)
            options = {name: asked.options[name] for name in _COMPARES if asked.options.get(name) is not None}
            return _found(metadata, options, _NONE)
        if hasattr(asked.module, _MODELS):
            return _found(getattr(asked.module, _MODELS), {}, _NONE)
    return Environment(MetaData(), failed=failed)


def _found(metadata: Any, options: Mapping[str, Any], otherwise: str) -> Environment:
    whole = one_metadata(metadata)
    return Environment(whole, options, "" if metadata is not None else otherwise)


class _Asked:
    """One run of env.py."""

    def __init__(self, path: Path) -> None:
        self.module = ModuleType("env_py")
        self.module.__file__ = str(path)
        self.options: Mapping[str, Any] | None = None
        """What it has configured."""
        self._path = path

    def run(self, config: Config, scripts: ScriptDirectory, scratch: DatabaseURL, *, offline: bool) -> str:
        """Why it failed, in words."""
        own = ConfigOrigin.of(config).config(io.StringIO())
        own.cmd_opts = config.cmd_opts
        url = self._url(scratch)
        own.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        own.attributes[RECEIVER] = lambda metadata, *_: self._note({_MODELS: metadata})
        options = {"fn": self._first_revision, "as_sql": offline, "starting_rev": None, "destination_rev": "head"}
        try:
            with EnvironmentContext(own, scripts, **options), _leading_to(scratch), _with_url(url):
                outside_of_loops(self._execute)
        except ProjectTold:
            return ""
        except (Exception, SystemExit) as error:
            return self._in_words(error)
        return "" if self.options is not None else "its env.py runs no revisions"

    def _url(self, scratch: DatabaseURL) -> str:
        """By a driver that is there, of the kind that this env.py asks for."""
        driver = "asyncpg" if b"async_engine" in self._path.read_bytes() else "psycopg"
        return f"postgresql+{driver}:{scratch.dsn.partition(':')[2]}"

    def _execute(self) -> None:
        # Not by an import: what it has set until it fails is wanted too, and nothing is to be written beside it.
        exec(compile(self._path.read_bytes(), self._path, "exec"), self.module.__dict__)

    def _first_revision(self, _: object, context: Any) -> Iterator[Any]:
        self._note(context.opts)
        raise ProjectTold

    def _note(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def _in_words(self, error: BaseException) -> str:
        frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == str(self._path)]
        line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else 0
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        what = next(iter(message.splitlines()), "")
        return f"its env.py fails in line {line}: {type(error).__name__}: {what}"


@contextmanager
def _leading_to(scratch: DatabaseURL) -> Iterator[None]:
    """Every connection that SQLAlchemy opens leads to `scratch`; one to another kind of database is refused."""

    opened = []

    def connect(dialect: Any, *_: object) -> Any:
        if dialect.name != "postgresql":
            raise ConnectionRefusedError(f"this is an audit, and connects to no {dialect.name}")
        connection = dialect.loaded_dbapi.connect(scratch.dsn)
        opened.append((dialect, connection))
        return connection

    event.listen(Engine, "do_connect", connect)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", connect)
        for dialect, connection in opened:
            with contextlib.suppress(Exception):  # of whatever driver: it may be closed already
                dialect.do_terminate(connection) if dialect.is_async else connection.close()


@contextmanager
def _with_url(url: str) -> Iterator[None]:
    """Many an application does not begin without DATABASE_URL."""
    given = _URL in os.environ
    os.environ.setdefault(_URL, url)
    try:
        yield
    finally:
        if not given:
            os.environ.pop(_URL, None)


def line_of_models(path: Path) -> int:
    """Where env.py says which they are; 1 where it does not."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    said = (number for number, line in enumerate(lines, 1) if line.replace(" ", "").startswith("target_metadata="))
    return next(said, 1)
