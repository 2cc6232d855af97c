"""What `alembic_online.postgres.declared` was called; models that import it work until the next release."""

from alembic_online.postgres.declared import Extension, LeaveAlone, SQLObject, declare

__all__ = ["Extension", "LeaveAlone", "SQLObject", "declare"]
