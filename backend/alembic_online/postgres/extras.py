"""Libraries that not everybody needs: what is missing is said with the command that installs it."""

from importlib.machinery import ModuleSpec
from importlib.util import find_spec

from alembic_online.postgres.errors import NotInstalled


def require(module: str, extra: str, purpose: str) -> ModuleSpec:
    """Where `module` is, which comes with `extra`. Raises `NotInstalled` where it is not there for `purpose`."""
    if (spec := find_spec(module)) is None:
        raise NotInstalled(f"{purpose} needs {module}.", f"Install it: pip install 'alembic-online[{extra}]'.")
    return spec
