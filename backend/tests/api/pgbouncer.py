"""A real PgBouncer in transaction mode, with fewer server connections than the application has of its own."""

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from tests.alembic_online.postgres.connection.connecting import answers

POOL = 3
PATIENCE = 20.0  # seconds, which only a failing test takes


@contextmanager
def transaction_pooler(url: str, folder: Path) -> Iterator[str]:
    """Yields the URL of `url`'s database behind a pooler, without any hint; its socket and files lie in `folder`."""
    to = conninfo_to_dict(url)
    server = " ".join(f"{name}={to[name]}" for name in ("host", "port", "user", "password") if to.get(name))
    (folder / "users").write_text(f'"{to["user"]}" "{to.get("password") or ""}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = {server}\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {folder}\nlisten_port = 6432\n"
        f"auth_type = any\nauth_file = {folder}/users\npool_mode = transaction\ndefault_pool_size = {POOL}\n"
        "max_client_conn = 200\n"
    )
    folder.chmod(0o777)
    process = subprocess.Popen(["pgbouncer", "-q", *_user(str(to["host"])), str(folder / "pgbouncer.ini")])
    pooled = f"postgresql://{to['user']}:{to.get('password') or ''}@/{to['dbname']}?host={quote(str(folder))}&port=6432"
    deadline = time.monotonic() + PATIENCE
    try:
        while not answers(f"{pooled}&connect_timeout=2"):
            assert process.poll() is None, "PgBouncer did not start"
            assert time.monotonic() < deadline, "PgBouncer does not reach the server"
        yield pooled
    finally:
        process.terminate()
        process.wait()


def _user(host: str) -> list[str]:
    """PgBouncer refuses to run as root, and the embedded server's socket is open to that server's user alone."""
    if os.geteuid() != 0:
        return []
    return ["-u", pwd.getpwuid(Path(host).stat().st_uid).pw_name if host.startswith("/") else "nobody"]
