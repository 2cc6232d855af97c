"""What `alembic_online` was called; goes with the next release."""
