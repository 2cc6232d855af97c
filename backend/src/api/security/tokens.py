"""Tokens: short-lived for access, long-lived for renewal; both signed, and both bound to the password of the account.

A token names the account and carries a fingerprint of its password hash and of the number of its sign-outs. A new
password, also one set with psql, or a sign-out thus ends every token given out before, on every device, and no list of
tokens is kept anywhere: the account's row, which each request reads for `is_active` anyway, is enough. The price: one
device cannot be signed out alone, and a password that is hashed again with stronger parameters ends the tokens too.
"""

import hashlib
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

import jwt
from jwt.types import Options

from src.db.queries.accounts import Standing

_ALGORITHM = "HS256"
_REMEMBERED = 4096  # tokens, of some 300 characters
_LONGEST = 1000
"""Characters of a token that is looked at: ours are shorter, and what is remembered must not be what anybody sends."""


class Use(StrEnum):
    """What a token is good for; one is never taken for the other."""

    ACCESS = "access"
    RENEWAL = "renewal"


LIFETIME = {Use.ACCESS: 15 * 60, Use.RENEWAL: 30 * 24 * 3600}
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a valid token says: this account, as long as it has this fingerprint."""

    user_id: UUID
    fingerprint: str


def fingerprint(account: Standing) -> str:
    """Changes with the password and with each sign-out; tells nothing about them (the hash is salted argon2)."""
    return hashlib.sha256(f"{account.sign_outs} {account.password_hash}".encode()).hexdigest()[:32]


def claim_of(account: Standing) -> Claim:
    """What a token for `account` says from now on."""
    return Claim(account.id, fingerprint(account))


@dataclass(frozen=True, slots=True)
class _Decoded:
    """What a token with a good signature holds; `expires` in seconds of Unix time."""

    use: str
    expires: float
    claim: Claim


class Tokens:
    """Signs and reads tokens with one key."""

    def __init__(self, key: str) -> None:
        self._key = key
        # A client sends the same token with every request, and a signature that was good stays good.
        self._decode = lru_cache(maxsize=_REMEMBERED)(self._check)

    def issue(self, use: Use, claim: Claim) -> str:
        """A token that is valid from now for `LIFETIME[use]`."""
        now = int(time.time())
        payload = {"sub": str(claim.user_id), "fpr": claim.fingerprint, "use": use, "iat": now}
        return jwt.encode({**payload, "exp": now + LIFETIME[use]}, self._key, _ALGORITHM)

    def read(self, use: Use, token: str) -> Claim | None:
        """What `token` says, or None if it is not one of ours, not for this use, or no longer valid."""
        found = self._decode(token) if len(token) <= _LONGEST else None
        if found is None or found.use != use or found.expires <= time.time():
            return None
        return found.claim

    def _check(self, token: str) -> "_Decoded | None":
        # Nothing that depends on the time, since it is remembered; `iat` may be the future of a clock that is behind.
        options: Options = {"require": ["sub", "fpr", "use", "exp"], "verify_iat": False, "verify_exp": False}
        try:
            payload = jwt.decode(token, self._key, [_ALGORITHM], options=options)
            return _Decoded(payload["use"], float(payload["exp"]), Claim(UUID(payload["sub"]), payload["fpr"]))
        except (jwt.InvalidTokenError, ValueError):
            return None
