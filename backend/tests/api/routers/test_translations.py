"""Promise: administrators keep a chapter's languages, one row a language however it is spelled, and lose no edit."""

import asyncio

import pytest
from httpx import AsyncClient

from tests.api.course import add_chapter, add_module, put_translation

CHAPTER = "m/chapters/c"
PATH = f"modules/{CHAPTER}/translations"


@pytest.fixture(autouse=True)
async def chapter(administrator: AsyncClient) -> None:
    await add_module(administrator, "m")
    await add_chapter(administrator, "m", "c")


async def codes(administrator: AsyncClient) -> list[str]:
    return [each["language_code"] for each in (await administrator.get(PATH)).json()["translations"]]


async def test_a_language_is_added_read_changed_and_deleted(administrator: AsyncClient) -> None:
    assert (await put_translation(administrator, CHAPTER, "DE-ch", is_published=False)).status_code == 201
    assert await codes(administrator) == ["de-CH"]
    read = await administrator.get(f"{PATH}/de-CH")
    assert (read.json()["title"], read.json()["published_at"]) == ("DE-ch", None)
    tag = {"If-Match": read.headers["etag"]}
    content = {"title": "Neu", "is_published": True}
    changed = await administrator.put(f"{PATH}/de-ch", json=content, headers=tag)
    assert (changed.status_code, changed.json()["title"]) == (200, "Neu")
    assert changed.json()["published_at"] is not None
    assert (await administrator.delete(f"{PATH}/de-CH", headers=tag)).status_code == 412
    tag = {"If-Match": changed.headers["etag"]}
    assert (await administrator.delete(f"{PATH}/de-CH", headers=tag)).status_code == 204
    assert await codes(administrator) == []


async def test_what_is_there_is_replaced_only_by_who_has_read_it(administrator: AsyncClient) -> None:
    await put_translation(administrator, CHAPTER, "de")
    content = {"title": "Neu"}
    assert (await administrator.put(f"{PATH}/de", json=content)).status_code == 428
    assert (await administrator.put(f"{PATH}/de", json=content, headers={"If-Match": '"0"'})).status_code == 412
    assert (await administrator.put(f"{PATH}/fr", json=content, headers={"If-Match": "*"})).status_code == 412
    assert await codes(administrator) == ["de"]


async def test_of_many_who_add_the_same_language_one_wins(administrator: AsyncClient) -> None:
    answers = await asyncio.gather(
        *(administrator.put(f"{PATH}/de", json={"title": f"Titel {number}"}) for number in range(8))
    )
    assert sorted(answer.status_code for answer in answers)[0] == 201
    assert {answer.status_code for answer in answers} <= {201, 409, 428}
    assert await codes(administrator) == ["de"]


async def test_the_language_of_the_original_is_no_translation(administrator: AsyncClient) -> None:
    assert (await administrator.put(f"{PATH}/EN", json={"title": "x"})).status_code == 409


async def test_what_is_not_there_is_404(administrator: AsyncClient) -> None:
    for path in (f"{PATH}/de", "modules/m/chapters/none/translations/de"):
        assert (await administrator.get(path)).status_code == 404
        assert (await administrator.delete(path, headers={"If-Match": "*"})).status_code == 404
