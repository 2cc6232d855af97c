"""What `alembic_online.postgres` was called; goes with the next release."""

import warnings

warnings.warn("src.postgres is called alembic_online.postgres now, and goes with the next release", FutureWarning, stacklevel=2)
