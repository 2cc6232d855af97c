"""Promise: who signs in gets tokens that open what is theirs."""

import pytest
from httpx import AsyncClient

from tests.api.accounts import PASSWORD, register

pytestmark = pytest.mark.anyio


async def test_who_registers_can_sign_in_whatever_the_case_of_the_address(api: AsyncClient) -> None:
    await register(api, "ada")
    answer = await api.post("auth/token", data={"username": "ADA@Example.org", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"


async def test_an_address_has_one_account(api: AsyncClient) -> None:
    await register(api, "ada")
    again = {"email": "Ada@example.org", "password": PASSWORD, "name": "Ada"}
    answer = await api.post("accounts", json=again)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_wrong_password_and_a_wrong_address_are_answered_alike(api: AsyncClient) -> None:
    await register(api, "ada")
    wrong_password = await api.post("auth/token", data={"username": "ada@example.org", "password": "wrong"})
    wrong_address = await api.post("auth/token", data={"username": "bob@example.org", "password": "wrong"})
    assert wrong_password.status_code == wrong_address.status_code == 401
    assert wrong_password.json() == wrong_address.json()
