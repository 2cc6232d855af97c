"""What autogenerate must know beyond Alembic's own comparators: one file per kind of object."""
