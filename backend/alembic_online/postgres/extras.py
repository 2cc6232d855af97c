"""Libraries that not everybody needs: what is missing is said with the command that installs it."""

from importlib.util import find_spec

from alembic_online.postgres.errors import NotInstalled


def require(module: str, extra: str, purpose: str) -> None:
    """Raises `NotInstalled` where `module`, which comes with `extra`, is not there for `purpose`."""
    if find_spec(module) is None:
        raise NotInstalled(f"{purpose} needs {module}.", f"Install it: pip install 'alembic-online[{extra}]'.")
