"""What `alembic_online.testing` was called; goes with the next release."""

from alembic_online.testing import test_migrations

__all__ = ["test_migrations"]
