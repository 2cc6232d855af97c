"""How often passwords may be tried, and services asked that are paid for by the question.

Counted in this process: with several, each has counts of its own, so that n processes allow up to n times as many. An
exact count would cost a write to the database for each guess, which is what an attacker would like. Behind a proxy the
address is the proxy's unless uvicorn is told to trust its headers (`--forwarded-allow-ips`).
"""

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import IPv6Address, IPv6Network, ip_address

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from alembic_online.postgres.errors import UserError
from src.api.http.problems import ProblemError
from src.settings import Settings

PER_ACCOUNT = RateLimitItemPerMinute(10, namespace="account")
PER_ADDRESS = RateLimitItemPerMinute(100, namespace="address")
"""A class behind one address signs in within the same minute."""


class LimitInvalid(UserError):
    """The environment gives a limit that is no number."""


class Attempts:
    """The attempts of the last minute."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._clock = clock

    def spend(self, limit: RateLimitItem, key: str) -> None:
        """Count one attempt. Raises `ProblemError` 429 when there were too many, and then counts none."""
        if seconds := self.wait(limit, key):
            detail = f"Too many attempts; wait {seconds} s and try again."
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(seconds)})

    def wait(self, limit: RateLimitItem, key: str) -> int:
        """Count one attempt: 0. Or, when there were too many, count none: the seconds until there is room again."""
        if self._limiter.hit(limit, key.casefold()):
            return 0
        reset = self._limiter.get_window_stats(limit, key.casefold()).reset_time
        return max(1, round(reset - self._clock()))


class ServiceLimits:
    """How often one account may have the services asked. Raises `LimitInvalid`."""

    def __init__(self, settings: Settings) -> None:
        searches = _count(settings.searches_per_minute, "SEARCHES_PER_MINUTE")
        questions = _count(settings.questions_per_minute, "QUESTIONS_PER_MINUTE")
        self.searches = RateLimitItemPerMinute(searches, namespace="searches")
        self.questions = RateLimitItemPerMinute(questions, namespace="questions")


def network(host: str) -> str:
    """Whose address `host` is: the /64 of an IPv6 address, all of which one customer has (RFC 6177); IPv4 as it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return host  # what a Unix socket has instead
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))


def _count(setting: str, variable: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", setting, re.ASCII):
        raise LimitInvalid(f"{variable} is no number above 0.", f"Set {variable} to one, such as 20, or leave it out.")
    return int(setting)
