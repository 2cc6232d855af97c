"""What `alembic_online.postgres` was called; goes with the next release."""

import warnings

NOW = "src.postgres is called alembic_online.postgres now, and goes with the next release"
warnings.warn(NOW, FutureWarning, stacklevel=2)
