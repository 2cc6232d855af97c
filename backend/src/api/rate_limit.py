"""How often passwords may be tried: ten times a minute for one account, a hundred times from one address.

Counted in this process: with several, each has counts of its own, so that n processes allow up to n times as many. An
exact count would cost a write to the database for each guess, which is what an attacker would like. Behind a proxy the
address is the proxy's unless uvicorn is told to trust its headers (`--forwarded-allow-ips`).
"""

import time
from collections.abc import Callable
from http import HTTPStatus

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from src.api.problems import ProblemError

PER_ACCOUNT = RateLimitItemPerMinute(10, namespace="account")
PER_ADDRESS = RateLimitItemPerMinute(100, namespace="address")
"""A class behind one address signs in within the same minute."""
QUESTIONS = RateLimitItemPerMinute(20, namespace="questions")
"""Of one account: each is paid for."""


class PasswordAttempts:
    """The attempts of the last minute."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._clock = clock

    def spend(self, limit: RateLimitItem, key: str) -> None:
        """Count one attempt. Raises `ProblemError` 429 when there were too many, and then counts none."""
        if not self._limiter.hit(limit, key.casefold()):
            reset = self._limiter.get_window_stats(limit, key.casefold()).reset_time
            seconds = max(1, round(reset - self._clock()))
            detail = f"Too many attempts; wait {seconds} s and try again."
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(seconds)})
