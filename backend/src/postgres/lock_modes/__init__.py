"""Table locks as facts: the modes, and which of them a statement takes. Text in, facts out; nothing asks a server."""

from src.postgres.lock_modes.mode import LockMode
from src.postgres.lock_modes.statement import strong_locks
from src.postgres.lock_modes.table_lock import Kind, TableLock
from src.postgres.lock_modes.transactions import is_patient, needs_autocommit, needs_commit

__all__ = ["Kind", "LockMode", "TableLock", "is_patient", "needs_autocommit", "needs_commit", "strong_locks"]
