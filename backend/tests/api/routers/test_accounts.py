"""Promise: an account is its owner's alone, and what signs in to it ends when it should."""

import asyncio
import time
from typing import Any

import jwt
import psycopg
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx import AsyncClient, Response

from src.api.security.tokens import Claim, Tokens, Use
from src.db.services.passwords import Passwords
from tests.api.accounts import PASSWORD, QUICK, register, sign_in, visitor
from tests.api.conftest import MakeApp
from tests.api.course import small_course

NEW_PASSWORD = "a battery that is stapled"


async def try_password(client: AsyncClient, name: str, password: str) -> Response:
    return await client.post("auth/token", data={"username": f"{name}@example.org", "password": password})


def assert_problem(answer: Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    return problem


async def test_who_registers_can_sign_in_whatever_the_case_of_the_address(api: AsyncClient) -> None:
    await register(api, "ada")
    answer = await try_password(api, "ADA", PASSWORD)
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"


async def test_a_password_is_what_was_typed_and_a_name_is_trimmed(api: AsyncClient) -> None:
    typed = "  a battery "
    account = {"email": "ada@example.org", "password": typed, "name": " Ada "}
    assert (await api.post("accounts", json=account)).json()["name"] == "Ada"
    assert_problem(await try_password(api, "ada", typed.strip()), 401)
    assert (await try_password(api, "ada", typed)).status_code == 200


async def test_an_address_has_one_account(api: AsyncClient) -> None:
    await register(api, "ada")
    again = {"email": "Ada@example.org", "password": PASSWORD, "name": "Ada"}
    assert "sign in" in assert_problem(await api.post("accounts", json=again), 409)["detail"]


async def test_two_who_register_one_address_at_once_get_one_account(api: AsyncClient) -> None:
    account = {"email": "ada@example.org", "password": PASSWORD, "name": "Ada"}
    answers = await asyncio.gather(*(api.post("accounts", json=account) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_a_wrong_password_a_wrong_address_and_a_closed_account_are_answered_alike(
    api: AsyncClient, migrated: str
) -> None:
    await register(api, "ada")
    wrong_password = await try_password(api, "ada", "wrong")
    wrong_address = await try_password(api, "bob", "wrong")
    close_account(migrated)
    closed = await try_password(api, "ada", PASSWORD)
    for answer in (wrong_password, wrong_address, closed):
        assert assert_problem(answer, 401) == wrong_password.json()


async def test_a_password_is_hashed_also_where_there_is_no_account() -> None:
    passwords = Passwords()
    hashed = await passwords.hash(PASSWORD)
    times = []
    for candidate in (hashed, None):
        begun = time.process_time()
        assert not await passwords.fit(candidate, "wrong")
        times.append(time.process_time() - begun)
    assert min(times) > max(times) / 4
    assert not await passwords.fit(None, "")


async def test_no_password_comes_back_or_lies_in_the_database(api: AsyncClient, migrated: str) -> None:
    secret = "short-19"
    answer = await api.post("accounts", json={"email": "ada@example.org", "password": secret, "name": "Ada"})
    assert_problem(answer, 422)
    assert secret not in answer.text
    await register(api, "ada")
    with psycopg.connect(migrated) as connection:
        [row] = connection.execute("SELECT users::text FROM users").fetchall()
    assert PASSWORD not in row[0]
    assert "$argon2id$" in row[0]


async def test_signing_in_hashes_again_what_was_hashed_with_less(api: AsyncClient, migrated: str) -> None:
    await register(api, "ada")
    with psycopg.connect(migrated, autocommit=True) as connection:
        weak = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD)
        connection.execute("UPDATE users SET password_hash = %s", [weak])
        await sign_in(api, "ada")
        [(hashed,)] = connection.execute("SELECT password_hash FROM users").fetchall()
    assert hashed != weak
    assert not QUICK.check_needs_rehash(hashed)
    assert (await api.get("me")).status_code == 200


async def test_the_owner_reads_and_changes_the_account(student: AsyncClient) -> None:
    before = (await student.get("me")).json()
    assert (before["email"], before["theme"], before["is_admin"]) == ("student@example.org", "system", False)
    change = {"name": "Ada", "theme": "dark", "language_preference": "de-AT"}
    answer = await student.patch("me", json=change)
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after == {**before, **change, "updated_at": after["updated_at"]}
    assert (await student.patch("me", json={})).json() == after


@pytest.mark.parametrize(
    "typed", [" ada@example.org ", "Ada <ada@example.org>", "ada@xn--exmple-cua.org", "e\u0301va@example.org"]
)
async def test_who_registers_an_address_can_sign_in_with_the_same(api: AsyncClient, typed: str) -> None:
    account = {"email": typed, "password": PASSWORD, "name": "Ada"}
    assert (await api.post("accounts", json=account)).status_code == 201
    assert (await api.post("auth/token", data={"username": typed, "password": PASSWORD})).status_code == 200


@pytest.mark.parametrize(
    "change", [{"is_admin": True}, {"name": ""}, {"name": None}, {"theme": "pink"}, {"language_preference": "x y"}]
)
async def test_nobody_changes_what_is_not_theirs_to_change(student: AsyncClient, change: dict[str, Any]) -> None:
    assert_problem(await student.patch("me", json=change), 422)


async def test_a_renewed_token_is_good_and_each_token_only_for_its_use(api: AsyncClient) -> None:
    await register(api, "ada")
    tokens = await sign_in(api, "ada")
    renewed = (await api.post("auth/renew", json={"refresh_token": tokens["refresh_token"]})).json()
    assert (await get_me(api, renewed["access_token"])).status_code == 200
    assert_problem(await get_me(api, tokens["refresh_token"]), 401)
    assert_problem(await api.post("auth/renew", json={"refresh_token": tokens["access_token"]}), 401)


async def test_signing_out_ends_every_token(student: AsyncClient, api: AsyncClient) -> None:
    elsewhere = await sign_in(api, "student")
    assert (await student.post("auth/sign-out")).status_code == 204
    assert_problem(await student.get("me"), 401)
    assert_problem(await api.get("me"), 401)
    assert_problem(await api.post("auth/renew", json={"refresh_token": elsewhere["refresh_token"]}), 401)
    await sign_in(student, "student")
    assert (await student.get("me")).status_code == 200


async def test_a_new_password_ends_the_tokens_of_the_old_one(student: AsyncClient, api: AsyncClient) -> None:
    await sign_in(api, "student")
    wrong = {"current_password": "wrong", "new_password": NEW_PASSWORD}
    assert_problem(await student.put("me/password", json=wrong), 403)
    answer = await student.put("me/password", json={"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    assert answer.status_code == 200, answer.text
    assert_problem(await api.get("me"), 401)
    assert (await get_me(api, answer.json()["access_token"])).status_code == 200
    assert_problem(await try_password(api, "student", PASSWORD), 401)
    await sign_in(api, "student", NEW_PASSWORD)


async def test_closing_an_account_ends_its_tokens_at_once(student: AsyncClient, migrated: str) -> None:
    tokens = await sign_in(student, "student")
    close_account(migrated)
    assert_problem(await student.get("me"), 401)
    assert_problem(await student.post("auth/renew", json={"refresh_token": tokens["refresh_token"]}), 401)


async def test_what_anybody_may_read_is_refused_to_a_token_that_is_no_longer_good(
    administrator: AsyncClient, student: AsyncClient, api: AsyncClient, migrated: str
) -> None:
    """It is held against the account by the statement that answers; so each of these has one of its own."""
    await small_course(administrator)
    for spoil in (close_account, delete_accounts):
        spoil(migrated)
        for path in ("modules", "modules/first", "modules/nowhere", "modules/first/chapters/one"):
            assert_problem(await student.get(path), 401)
            assert (await api.get(path)).status_code == (404 if "nowhere" in path else 200)


async def test_tokens_of_others_and_of_the_past_are_refused(served: FastAPI, student: AsyncClient) -> None:
    good = student.headers["Authorization"].removeprefix("Bearer ")
    payload = jwt.decode(good, options={"verify_signature": False})
    resources = served.state.resources
    claim = resources.tokens.read(Use.ACCESS, good)
    forged = Tokens("another key that is long enough for HS256").issue(Use.ACCESS, claim)
    unsigned = jwt.encode(payload, None, algorithm="none")
    expired = jwt.encode({**payload, "exp": int(time.time()) - 1}, resources.tokens._key, "HS256")
    stale = resources.tokens.issue(Use.ACCESS, Claim(claim.user_id, "0" * 32))
    for token in (forged, unsigned, expired, stale, "nonsense", good[:-4]):
        answer = await get_me(student, token)
        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_of_a_clock_that_is_ahead_is_good(served: FastAPI, student: AsyncClient) -> None:
    good = student.headers["Authorization"].removeprefix("Bearer ")
    payload = jwt.decode(good, options={"verify_signature": False})
    ahead = jwt.encode({**payload, "iat": payload["iat"] + 5}, served.state.resources.tokens._key, "HS256")
    assert (await get_me(student, ahead)).status_code == 200


async def test_what_is_far_too_long_for_a_token_is_not_remembered(served: FastAPI, student: AsyncClient) -> None:
    remembered = served.state.resources.tokens._decode.cache_info
    before = remembered().currsize
    assert_problem(await get_me(student, "x" * 100_000), 401)
    assert remembered().currsize == before


async def test_an_account_goes_with_everything_that_belongs_to_it(student: AsyncClient, migrated: str) -> None:
    await student.patch("me/profile", json={"bio": "Here for a while."})
    await student.post("capstone/submissions", json={"title": "Rover", "description": "It rolls."})
    assert (await student.delete("me")).status_code == 204
    assert_problem(await student.get("me"), 401)
    with psycopg.connect(migrated) as connection:
        for table in ("users", "user_profiles", "capstone_submissions"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


async def test_too_many_attempts_on_one_account_have_to_wait(api: AsyncClient) -> None:
    await register(api, "ada")
    answers = [await try_password(api, "ada", "wrong") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert_problem(answers[-1], 429)
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert_problem(await try_password(api, "ADA", PASSWORD), 429)
    assert (await try_password(api, "bob", "wrong")).status_code == 401


async def test_other_requests_are_answered_while_passwords_are_hashed(make_app: MakeApp, migrated: str) -> None:
    app = make_app(migrated)
    async with app.router.lifespan_context(app), visitor(app) as client:
        hashing = [asyncio.create_task(try_password(client, f"user{number}", "wrong")) for number in range(8)]
        answer = await client.get("profiles/00000000-0000-0000-0000-000000000000")
        assert answer.status_code == 404
        assert not all(task.done() for task in hashing)
        await asyncio.gather(*hashing)


def delete_accounts(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM users")


async def get_me(client: AsyncClient, token: str) -> Response:
    return await client.get("me", headers={"Authorization": f"Bearer {token}"})


def close_account(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE users SET is_active = false")
