"""What `alembic_online.api` was called; goes with the next release."""

from alembic_online.api import check, current, downgrade, pending, upgrade

__all__ = ["check", "current", "downgrade", "pending", "upgrade"]
