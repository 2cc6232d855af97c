"""Promise: nobody can try passwords, or have services asked, much more often than people do."""

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from src.api.security.rate_limit import PER_ADDRESS, LimitInvalid, ServiceLimits, network
from src.settings import Settings, load_settings
from tests.api.accounts import API

NETWORKS = [
    ("192.0.2.7", "192.0.2.7"),
    ("::ffff:192.0.2.7", "192.0.2.7"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"),
    ("::1", "::/64"),
    ("", ""),
    ("unix:", "unix:"),
]


async def statuses(app: FastAPI, addresses: list[str]) -> list[int]:
    """Of one wrong password from each address, each for another account."""
    found = []
    for number, address in enumerate(addresses):
        async with AsyncClient(transport=ASGITransport(app, client=(address, 1)), base_url=API) as client:
            form = {"username": f"{number}@example.org", "password": "wrong"}
            found.append((await client.post("auth/token", data=form)).status_code)
    return found


@pytest.mark.parametrize(("host", "counted"), NETWORKS)
def test_what_one_customer_has_counts_as_one_address(host: str, counted: str) -> None:
    assert network(host) == counted


async def test_many_addresses_of_one_network_have_to_wait_together(served: FastAPI) -> None:
    neighbours = [f"2001:db8::{number:x}" for number in range(PER_ADDRESS.amount + 1)]
    assert await statuses(served, neighbours) == [401] * PER_ADDRESS.amount + [429]
    assert await statuses(served, ["2001:db8:0:1::1"]) == [401]


@pytest.mark.parametrize("count", ["0", "-1", "", "ten", "1e3", "²", "9" * 10])
def test_a_limit_that_is_no_number_is_refused_at_the_start(count: str) -> None:
    for variable in ("SEARCHES_PER_MINUTE", "QUESTIONS_PER_MINUTE"):
        with pytest.raises(LimitInvalid, match=f"^{variable} is no number"):
            ServiceLimits(load_settings({variable: count}))


def test_limits_are_those_of_the_environment() -> None:
    limits = ServiceLimits(load_settings({"SEARCHES_PER_MINUTE": "7", "QUESTIONS_PER_MINUTE": "3"}))
    assert (limits.searches.amount, limits.questions.amount) == (7, 3)
    assert ServiceLimits(Settings("", "")).searches.amount == 60
