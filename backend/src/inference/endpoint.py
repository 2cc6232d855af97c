"""HTTP to one service: its address, its key, and errors as sentences."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from http import HTTPStatus

import httpx

from src.inference.errors import EndpointInvalid, ServiceBusy, ServiceFailed
from src.settings import Endpoint


@asynccontextmanager
async def open_client(endpoint: Endpoint) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose paths are relative to the endpoint's address. Raises `EndpointInvalid`; connects to nobody yet."""
    address, headers = _address(endpoint), _headers(endpoint)
    async with httpx.AsyncClient(base_url=address, headers=headers, verify=_authorities()) as client:
        yield client


@cache
def _authorities() -> ssl.SSLContext:
    """Whom all clients trust: httpx reads the list for each of them, for a twentieth of a second."""
    return httpx.create_ssl_context()


def check_status(response: httpx.Response, service: str) -> None:
    """Raises `ServiceFailed` unless the service answered 200, and `ServiceBusy` for 429."""
    if response.status_code == HTTPStatus.OK:
        return
    message = f"The {service} service answered {response.status_code}."
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        wait = response.headers.get("Retry-After", "")
        raise ServiceBusy(message, float(wait) if wait.isascii() and wait.isdigit() else None)
    raise ServiceFailed(message)


@contextmanager
def failures(service: str, patience: float) -> Iterator[None]:
    """Turn what HTTP and time do to a request into `ServiceFailed`."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as error:
        raise ServiceFailed(f"The {service} service did not answer within {patience:g} s.") from error
    except httpx.HTTPError as error:
        raise ServiceFailed(f"The {service} service cannot be reached, or broke off.") from error


def _address(endpoint: Endpoint) -> httpx.URL:
    remedy = f"Set {endpoint.variable} to an address such as https://api.example.org/v1."
    try:
        url = httpx.URL(endpoint.url)
    except httpx.InvalidURL as error:
        raise EndpointInvalid(f"{endpoint.variable} is not a URL.", remedy) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise EndpointInvalid(f"{endpoint.variable} is not an address of HTTP.", remedy)
    return url


def _headers(endpoint: Endpoint) -> dict[str, str]:
    return {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
