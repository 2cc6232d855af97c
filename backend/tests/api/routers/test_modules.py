"""Promise: students see the published course in order, administrators write all of it, nobody's edit is lost."""

import asyncio
from collections.abc import Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from httpx import AsyncClient

from src.api.dependencies import auth
from src.api.routers import ROUTERS
from tests.api.course import add_chapter, add_module, small_course
from tests.sessions import session, until


async def outline(client: AsyncClient) -> list[tuple[str, int]]:
    modules = (await client.get("modules")).json()["modules"]
    return [(module["slug"], module["chapter_count"]) for module in modules]


async def chapters(client: AsyncClient, module: str) -> list[str]:
    return [chapter["slug"] for chapter in (await client.get(f"modules/{module}")).json()["chapters"]]


async def test_everybody_sees_the_published_modules_in_order_with_their_counts(
    api: AsyncClient, student: AsyncClient, administrator: AsyncClient
) -> None:
    await small_course(administrator)
    assert await outline(api) == await outline(student) == [("first", 2), ("second", 2)]
    assert await outline(administrator) == [("first", 3), ("second", 3), ("hidden", 1)]


async def test_drafts_are_not_there_for_students(
    api: AsyncClient, student: AsyncClient, administrator: AsyncClient
) -> None:
    await small_course(administrator)
    for client in (api, student):
        assert await chapters(client, "first") == ["one", "two"]
        for path in ("modules/hidden", "modules/first/chapters/draft", "modules/hidden/chapters/one"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
    assert await chapters(administrator, "first") == ["one", "two", "draft"]
    assert (await administrator.get("modules/hidden/chapters/one")).status_code == 200


async def test_a_module_shows_each_reader_his_own_progress(
    api: AsyncClient, student: AsyncClient, other_student: AsyncClient, administrator: AsyncClient
) -> None:
    await small_course(administrator)
    await student.put("modules/first/chapters/one/progress", json={"progress_percentage": 40})

    async def percentages(client: AsyncClient) -> list[Any]:
        listed = (await client.get("modules/first")).json()["chapters"]
        return [chapter["progress"] and chapter["progress"]["progress_percentage"] for chapter in listed]

    assert await percentages(student) == [40, None]
    assert await percentages(other_student) == await percentages(api) == [None, None]


async def test_a_member_that_is_not_known_is_refused_and_not_passed_over(administrator: AsyncClient) -> None:
    """A misspelt `is_published` would withdraw what is published."""
    await add_module(administrator, "first")
    await add_chapter(administrator, "first", "one")
    chapter = "modules/first/chapters/one"
    for path, content in (
        ("modules/first", {"slug": "first", "title": "First"}),
        (chapter, {"slug": "one", "title": "One"}),
        (f"{chapter}/translations/de", {"title": "Eins"}),
        (f"{chapter}/progress", {"progress_percentage": 1}),
    ):
        answer = await administrator.put(path, json=content | {"is_publishd": True}, headers={"If-Match": "*"})
        assert answer.status_code == 422, path
        assert [error["location"] for error in answer.json()["errors"]] == [["body", "is_publishd"]]


async def test_an_edit_needs_the_version_it_is_based_on(administrator: AsyncClient) -> None:
    await add_module(administrator, "first")
    read = (await administrator.get("modules/first")).headers["etag"]
    content = {"slug": "first", "title": "New"}
    assert (await administrator.put("modules/first", json=content)).status_code == 428
    first = await administrator.put("modules/first", json=content, headers={"If-Match": read})
    assert (first.status_code, first.json()["title"]) == (200, "New")
    assert (await administrator.put("modules/first", json=content, headers={"If-Match": read})).status_code == 412
    assert (await administrator.delete("modules/first", headers={"If-Match": read})).status_code == 412
    again = await administrator.put("modules/first", json=content, headers={"If-Match": first.headers["etag"]})
    assert again.status_code == 200


async def test_of_two_who_edit_at_once_one_wins(administrator: AsyncClient) -> None:
    made = await add_module(administrator, "first")
    answers = await asyncio.gather(
        *(
            administrator.put(
                "modules/first",
                json={"slug": "first", "title": f"Title {number}"},
                headers={"If-Match": made.headers["etag"]},
            )
            for number in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


async def test_who_is_no_administrator_by_the_time_of_the_commit_writes_nothing(
    administrator: AsyncClient, api: AsyncClient, migrated: str
) -> None:
    made = await add_module(administrator, "first")
    new, tag = {"slug": "first", "title": "New"}, {"If-Match": made.headers["etag"]}
    async with session(migrated) as somebody, session(migrated) as watcher:
        holding = somebody.transaction()
        await holding.start()
        await somebody.execute("SELECT FROM modules FOR UPDATE")
        changing = asyncio.create_task(administrator.put("modules/first", json=new, headers=tag))
        await until(lambda: watcher.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
        await watcher.execute("UPDATE users SET is_admin = false")
        await holding.rollback()
        assert (await changing).status_code == 403
    assert (await api.get("modules/first")).json()["title"] == "first"


def test_every_route_by_which_administrators_write_asks_once_more() -> None:
    asked = {
        f"{method} {route.path}": {dependant.call for dependant in _below(route.dependant)}
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"GET"}
    }
    of_administrators = {route for route, calls in asked.items() if auth._administrator in calls}
    assert len(of_administrators) > 10
    assert of_administrators == {route for route, calls in asked.items() if auth._administrators_session in calls}


def _below(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _below(each)


async def test_publishing_and_withdrawing_is_an_edit(administrator: AsyncClient, api: AsyncClient) -> None:
    answer = await add_module(administrator, "first", is_published=False)
    assert answer.json()["published_at"] is None
    for published in (True, False):
        content = {"slug": "first", "title": "First", "is_published": published}
        tag = answer.headers["etag"]
        answer = await administrator.put("modules/first", json=content, headers={"If-Match": tag})
        assert (answer.json()["published_at"] is not None) == published
        assert len(await outline(api)) == published


async def test_modules_and_chapters_are_put_into_another_order(administrator: AsyncClient) -> None:
    for module in ("a", "b", "c"):
        await add_module(administrator, module)
        await add_chapter(administrator, "a", module)
    assert (await administrator.patch("modules", json={"order": ["c", "a", "b"]})).status_code == 204
    assert [slug for slug, _ in await outline(administrator)] == ["c", "a", "b"]
    assert (await administrator.patch("modules/a/chapters", json={"order": ["b", "c", "a"]})).status_code == 204
    assert await chapters(administrator, "a") == ["b", "c", "a"]


async def test_an_order_that_does_not_name_each_once_is_refused(administrator: AsyncClient) -> None:
    for module in ("a", "b"):
        await add_module(administrator, module)
        await add_chapter(administrator, "a", module)
    for order in (["a"], ["a", "b", "b"], ["a", "b", "c"], []):
        assert (await administrator.patch("modules", json={"order": order})).status_code == 409
        assert (await administrator.patch("modules/a/chapters", json={"order": order})).status_code == 409
    assert await chapters(administrator, "a") == ["a", "b"]


async def test_many_who_reorder_and_add_at_once_leave_one_of_the_orders(administrator: AsyncClient) -> None:
    orders = [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]]
    for module in orders[0]:
        await add_module(administrator, module)
    answers = await asyncio.gather(*(administrator.patch("modules", json={"order": order}) for order in orders * 4))
    assert {answer.status_code for answer in answers} == {204}
    assert [slug for slug, _ in await outline(administrator)] in orders


async def test_a_slug_is_taken_once(administrator: AsyncClient) -> None:
    made = await add_module(administrator, "a")
    await add_module(administrator, "b")
    assert (await administrator.post("modules", json={"slug": "a", "title": "A"})).status_code == 409
    renamed = {"slug": "b", "title": "A"}
    tag = {"If-Match": made.headers["etag"]}
    assert (await administrator.put("modules/a", json=renamed, headers=tag)).status_code == 409


async def test_with_a_module_goes_what_belongs_to_it(administrator: AsyncClient, api: AsyncClient) -> None:
    await small_course(administrator)
    tag = (await administrator.get("modules/first")).headers["etag"]
    assert (await administrator.delete("modules/first", headers={"If-Match": tag})).status_code == 204
    assert (await api.get("modules/first/chapters/one")).status_code == 404
    assert await outline(api) == [("second", 2)]


async def test_a_copy_is_current_until_anything_in_it_changes(
    api: AsyncClient, student: AsyncClient, administrator: AsyncClient
) -> None:
    await small_course(administrator)
    for path in ("modules", "modules/first"):
        tag = (await api.get(path)).headers["etag"]
        assert (await api.get(path, headers={"If-None-Match": tag})).status_code == 304
    mine = (await student.get("modules/first")).headers["etag"]
    await student.put("modules/first/chapters/one/progress", json={"progress_percentage": 40})
    assert (await student.get("modules/first", headers={"If-None-Match": mine})).status_code == 200
    assert (await api.get("modules/first", headers={"If-None-Match": tag})).status_code == 304
