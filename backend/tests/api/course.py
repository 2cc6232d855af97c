"""A course for tests, written by an administrator over HTTP."""

from typing import Any

from httpx import AsyncClient, Response


async def add_module(administrator: AsyncClient, slug: str, **content: Any) -> Response:
    """A new module, published unless `content` says otherwise."""
    answer = await administrator.post("modules", json={"slug": slug, "title": slug, "is_published": True} | content)
    assert answer.status_code == 201, answer.text
    return answer


async def add_chapter(administrator: AsyncClient, module: str, slug: str, **content: Any) -> Response:
    """A new chapter of a module, published unless `content` says otherwise."""
    chapter = {"slug": slug, "title": slug, "content_html": f"<p>{slug}</p>", "is_published": True} | content
    answer = await administrator.post(f"modules/{module}/chapters", json=chapter)
    assert answer.status_code == 201, answer.text
    return answer


async def put_translation(administrator: AsyncClient, chapter: str, language: str, **content: Any) -> Response:
    """A translation of `chapter` (module/chapters/chapter), published unless `content` says otherwise."""
    translation = {"title": language, "content_html": f"<p>{language}</p>", "is_published": True} | content
    answer = await administrator.put(f"modules/{chapter}/translations/{language}", json=translation)
    assert answer.status_code in (200, 201), answer.text
    return answer


async def small_course(administrator: AsyncClient) -> None:
    """Two published modules, each with two published chapters and a draft; and a draft of a module."""
    for module in ("first", "second"):
        await add_module(administrator, module)
        for chapter in ("one", "two"):
            await add_chapter(administrator, module, chapter)
        await add_chapter(administrator, module, "draft", is_published=False)
    await add_module(administrator, "hidden", is_published=False)
    await add_chapter(administrator, "hidden", "one")
