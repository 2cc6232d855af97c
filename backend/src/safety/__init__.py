"""What `alembic_online` was called. An env.py that imports `run_environment` from here works until the next release."""

import warnings

from alembic_online import run_environment

# A FutureWarning, because a DeprecationWarning of an env.py is shown to nobody.
warnings.warn("src.safety is called alembic_online now, and goes with the next release", FutureWarning, stacklevel=2)

__all__ = ["run_environment"]
