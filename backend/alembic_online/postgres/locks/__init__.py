"""Table locks as facts: the modes, and which of them a statement takes. Text in, facts out; nothing asks a server."""

from alembic_online.postgres.locks.mode import LockMode
from alembic_online.postgres.locks.statement import strong_locks
from alembic_online.postgres.locks.table_lock import Kind, TableLock
from alembic_online.postgres.locks.transactions import is_patient, needs_autocommit, needs_commit

__all__ = ["Kind", "LockMode", "TableLock", "is_patient", "needs_autocommit", "needs_commit", "strong_locks"]
