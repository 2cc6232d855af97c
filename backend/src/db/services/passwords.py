"""Passwords by argon2id, with the parameters of RFC 9106 for little memory: 64 MiB and some 30 ms of a core each."""

from functools import cache

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE = 2
"""Hashes made at the same time: each takes 64 MiB and a core, and other requests want one too."""


_HASHER = PasswordHasher()


@cache
def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """Who tries an account that does not exist waits as long as for one that does. Made once: it takes as long."""
    return hasher.hash("")


class Passwords:
    """Makes and checks hashes, in threads, so that requests without passwords are answered meanwhile."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or _HASHER
        self._limiter = CapacityLimiter(_AT_ONCE)
        self._nobodys = _hash_of_nobody(self._hasher)

    async def hash(self, password: str) -> str:
        """What the database keeps."""
        return await to_thread.run_sync(self._hasher.hash, password, limiter=self._limiter)

    async def fit(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` is the one; without a hash, because there is no account, False after the same time."""
        fits = await to_thread.run_sync(self._verify, password_hash or self._nobodys, password, limiter=self._limiter)
        return fits and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than are used today."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
