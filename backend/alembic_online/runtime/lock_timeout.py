"""How long each statement may wait: the limits of PostgreSQL, set before it and only where they change.

- A strong lock stops clients as soon as it is queued for: it gets `Policy.lock_timeout` (0.1 s).
- The staged lock before it, SHARE UPDATE EXCLUSIVE, conflicts with no client and makes an autovacuum give way, which
  PostgreSQL does only after deadlock_timeout (1 s): it gets 5 s.
- Anything else in a transaction (UPDATE, SELECT, a weak lock) waits for single rows or for other schema changes: 5 s
  too, but no longer than a strong lock once the transaction holds one.
- A patient statement (CONCURRENTLY, VALIDATE) waits for everybody and blocks nobody: no limit for locks, but one for
  the whole.

The session begins with the limits of the third kind, whatever its role has been given, so most statements need none.
"""

from sqlalchemy import Connection, text

from alembic_online.policy import Policy

_CALM = 5.0  # seconds
SESSION_SETTINGS = {"lock_timeout": f"{_CALM:g}s", "statement_timeout": "0"}
_SET = text("SELECT set_config('lock_timeout', :lock, :local), set_config('statement_timeout', :whole, :local)")


class TimeLimits:
    """The limits of one session, remembered so that nothing is sent twice."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._session: tuple[float, float] | None = (_CALM, 0.0)
        """In seconds, for a lock and for the whole; None if the revision has set something."""
        self._current: tuple[float, float] | None = self._session
        self.of_the_revision = False
        """The revision set a limit of its own in this transaction, which is left alone."""

    def forget(self) -> None:
        """A transaction began or ended: what was set in it is gone."""
        if self.of_the_revision:
            self._session = None
        self._current, self.of_the_revision = self._session, False

    def lose(self) -> None:
        """Nobody knows what is set now."""
        self._session = self._current = None

    def strong(self, connection: Connection, *, local: bool = True, bounded: bool = False) -> None:
        """For a statement with a strong lock; a bounded one may wait and work for no longer than that altogether.

        It waits for half of it at most, so that who had no lock is never mistaken for who was too slow.
        """
        limit = self._policy.lock_timeout
        self._set(connection, limit / 2 if bounded else limit, limit if bounded else 0, local)

    def calm(self, connection: Connection, *, holds_strong: bool = False) -> None:
        """For any other statement of a transaction."""
        self._set(connection, self._policy.lock_timeout if holds_strong else _CALM, 0, True)

    def patient(self, connection: Connection) -> None:
        """For a statement outside of any transaction that blocks nobody."""
        self._set(connection, 0, self._policy.concurrent_ddl_timeout, False)

    def _set(self, connection: Connection, lock: float, whole: float, local: bool) -> None:
        wanted = (lock, whole)
        if wanted != self._current and not self.of_the_revision:
            connection.execute(_SET, {"lock": _ms(lock), "whole": _ms(whole), "local": local})
            self._current = wanted
            if not local:
                self._session = wanted


def _ms(seconds: float) -> str:
    """0 means no limit to PostgreSQL, so a short time must not be rounded to it."""
    return str(max(1, round(seconds * 1000)) if seconds else 0)
