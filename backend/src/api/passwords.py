"""Passwords by argon2id (RFC 9106), in threads: one takes some 30 ms, in which other requests shall be answered."""

from anyio import to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
# Nobody's: who asks for an account that does not exist waits as long as for one that does.
_nobody = _hasher.hash("")


async def hash_password(password: str) -> str:
    """What the database keeps."""
    return await to_thread.run_sync(_hasher.hash, password)


async def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the account's; None, for no account, takes the same time and is False."""
    fits = await to_thread.run_sync(_verify, password_hash or _nobody, password)
    return fits and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with other parameters than are used today."""
    return _hasher.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
