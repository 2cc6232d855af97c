"""Promise: a project is its author's until a reviewer has it, and exactly one decision closes it."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from tests.api.accounts import promote, signed_in

PROJECT = {"title": "Rover", "description": "It rolls.", "demo_url": "https://example.org/rover"}


async def hand_in(client: AsyncClient, **changes: str) -> Response:
    answer = await client.post("capstone/submissions", json={**PROJECT, **changes})
    assert answer.status_code == 201, answer.text
    return answer


def path(submission: Response) -> str:
    return f"capstone/submissions/{submission.json()['id']}"


async def change(client: AsyncClient, seen: Response, **members: Any) -> Response:
    return await client.patch(path(seen), json=members, headers={"If-Match": seen.headers["etag"]})


async def review(client: AsyncClient, seen: Response, status: str, **members: Any) -> Response:
    headers = {"If-Match": seen.headers["etag"]}
    return await client.put(f"{path(seen)}/review", json={"status": status, **members}, headers=headers)


async def test_a_project_is_handed_in_read_and_changed_by_its_author_alone(
    student: AsyncClient, other_student: AsyncClient
) -> None:
    handed_in = await hand_in(student)
    assert (handed_in.json()["status"], handed_in.json()["score"]) == ("pending", None)
    assert (await student.get(path(handed_in))).json() == handed_in.json()
    assert (await other_student.get(path(handed_in))).status_code == 404
    assert (await change(other_student, handed_in, title="Mine")).status_code == 404
    changed = await change(student, handed_in, title="Rover 2", demo_url=None)
    assert (changed.status_code, changed.json()["title"], changed.json()["demo_url"]) == (200, "Rover 2", None)
    assert changed.json()["description"] == PROJECT["description"]


async def test_a_change_names_the_version_it_is_made_from(student: AsyncClient) -> None:
    first = await hand_in(student)
    assert (await student.patch(path(first), json={"title": "x"})).status_code == 428
    second = await change(student, first, title="Second")
    assert (await change(student, first, title="Third")).status_code == 412
    assert (await student.get(path(first))).json()["title"] == "Second"
    unchanged = await student.get(path(first), headers={"If-None-Match": second.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_once_a_reviewer_has_it_the_author_changes_nothing(
    student: AsyncClient, administrator: AsyncClient
) -> None:
    handed_in = await hand_in(student)
    taken_up = await review(administrator, handed_in, "reviewing")
    assert (taken_up.status_code, taken_up.json()["reviewed_at"]) == (200, None)
    assert (await change(student, taken_up, title="Too late")).status_code == 409
    decided = await review(administrator, taken_up, "approved", score=91.5, feedback="Well built.")
    seen = (await student.get(path(handed_in))).json()
    assert (seen["status"], seen["score"], seen["feedback"]) == ("approved", 91.5, "Well built.")
    assert seen["reviewed_at"] is not None
    assert (await review(administrator, decided, "rejected")).status_code == 409


async def test_nobody_reviews_their_own_and_no_student_reviews(
    student: AsyncClient, administrator: AsyncClient
) -> None:
    own = await hand_in(administrator)
    assert (await review(administrator, own, "approved")).status_code == 403
    assert (await review(student, await hand_in(student), "approved")).status_code == 403
    assert (await student.get("capstone/queue")).status_code == 403


async def test_of_two_reviewers_at_once_one_wins(
    served: FastAPI, student: AsyncClient, administrator: AsyncClient, migrated: str
) -> None:
    async with signed_in(served, "second") as second:
        promote(migrated, "second")
        for _ in range(5):
            handed_in = await hand_in(student)
            answers = await asyncio.gather(
                review(administrator, handed_in, "approved", score=90.0),
                review(second, handed_in, "rejected", score=10.0),
            )
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            winner = next(answer for answer in answers if answer.status_code == 200)
            assert (await student.get(path(handed_in))).json() == winner.json()


async def test_the_queue_is_oldest_first_and_ones_own_newest_first_by_pages(
    student: AsyncClient, other_student: AsyncClient, administrator: AsyncClient
) -> None:
    titles = [f"Rover {number}" for number in range(5)]
    handed_in = [await hand_in(student, title=title) for title in titles]
    await hand_in(other_student, title="Another")
    await review(administrator, handed_in[2], "rejected")
    assert await pages(administrator, "capstone/queue") == ["Rover 0", "Rover 1", "Rover 3", "Rover 4", "Another"]
    assert await pages(student, "capstone/submissions") == titles[::-1]


async def pages(client: AsyncClient, address: str) -> list[str]:
    """The titles on all pages of two."""
    titles, cursor = list[str](), dict[str, str]()
    while True:
        answer = await client.get(address, params={"limit": 2, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= 2
        titles += [item["title"] for item in page["items"]]
        if page["next"] is None:
            return titles
        cursor = {"cursor": page["next"]}


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"cursor": "W10="}, {"limit": 0}, {"limit": 101}, {"cursor": "ü"}])
async def test_a_page_that_there_cannot_be_is_refused(student: AsyncClient, query: dict[str, Any]) -> None:
    answer = await student.get("capstone/submissions", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
