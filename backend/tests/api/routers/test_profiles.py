"""Promise: a profile is its owner's, and shown to others only if the owner says so."""

from uuid import UUID

import psycopg
import pytest
from httpx import AsyncClient

from tests.db.rows import MINIMAL

TEXTS = {"bio": "Writes programs.", "organization": "Analytical Society", "country": "UK"}


async def own_id(client: AsyncClient) -> UUID:
    return UUID((await client.get("me")).json()["id"])


async def test_a_profile_is_empty_until_it_is_changed_and_keeps_what_is_left_out(student: AsyncClient) -> None:
    empty = (await student.get("me/profile")).json()
    assert empty["bio"] is None
    assert (empty["email_notifications"], empty["show_progress_publicly"]) == (True, False)
    await student.patch("me/profile", json=TEXTS)
    answer = await student.patch("me/profile", json={"bio": None, "avatar_url": "https://example.org/a.png"})
    expected = {**empty, **TEXTS, "bio": None, "avatar_url": "https://example.org/a.png"}
    assert answer.json() == (await student.get("me/profile")).json() == expected


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://example.org/a.png", "a.png", "https://" + "a" * 2050]
)
async def test_an_avatar_is_a_web_address(student: AsyncClient, address: str) -> None:
    assert (await student.patch("me/profile", json={"avatar_url": address})).status_code == 422


async def test_others_see_a_profile_only_if_its_owner_shows_it(
    student: AsyncClient, api: AsyncClient, migrated: str
) -> None:
    me = await own_id(student)
    assert (await api.get(f"profiles/{me}")).status_code == 404
    await student.patch("me/profile", json=TEXTS)
    assert (await api.get(f"profiles/{me}")).status_code == 404
    await student.patch("me/profile", json={"show_progress_publicly": True})
    complete_a_chapter(migrated, me)
    assert (await api.get(f"profiles/{me}")).json() == {
        "user_id": str(me),
        "name": "student",
        **TEXTS,
        "avatar_url": None,
        "chapters_completed": 1,
        "chapters": 1,
    }
    with psycopg.connect(migrated) as connection:
        connection.execute("UPDATE users SET is_active = false")
    assert (await api.get(f"profiles/{me}")).status_code == 404


def complete_a_chapter(url: str, user_id: UUID) -> None:
    """One published chapter that is completed, and one that nobody may see."""
    module, chapter = MINIMAL["modules"], MINIMAL["chapters"]
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO modules (id, slug, title, description, position, is_published)"
            " VALUES (%s, 'm', '', '', 1, true)",
            [module["id"]],
        )
        for number, (identifier, published) in enumerate([(chapter["id"], True), (UUID(int=77), False)]):
            connection.execute(
                "INSERT INTO chapters (id, module_id, slug, title, description, position, is_published)"
                " VALUES (%s, %s, %s, '', '', 1, %s)",
                [identifier, module["id"], f"c{number}", published],
            )
            connection.execute(
                "INSERT INTO chapter_progress (user_id, chapter_id, status, progress_percentage)"
                " VALUES (%s, %s, 'completed', 100)",
                [user_id, identifier],
            )
