"""Promise: HTML that administrators send is cleaned before it is kept, and nobody else waits for that."""

import asyncio
import os
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from httpx import AsyncClient

from tests.api.course import add_chapter, add_module, put_translation

CHAPTER = "modules/m/chapters"
LONG = {"title": "c", "content_html": "<p>x</p>" * 50_000}


async def test_html_that_would_run_is_taken_out(administrator: AsyncClient) -> None:
    await add_module(administrator, "m")
    written = await add_chapter(administrator, "m", "c", content_html="<p onclick=x>a<script>b</script>")
    assert written.json()["content_html"] == "<p>a</p>"
    await put_translation(administrator, "m/chapters/c", "de", content_html="<b>a</b><iframe src=x>")
    assert (await administrator.get(f"{CHAPTER}/c/translations/de")).json()["content_html"] == "<b>a</b>"


@pytest.mark.parametrize(("limit", "value"), [("SECONDS", 0.0), ("_MEMORY", 1024**2)])
async def test_html_that_takes_too_much_is_refused_with_its_place(
    administrator: AsyncClient, limit: str, value: float
) -> None:
    await add_module(administrator, "m")
    added = await add_chapter(administrator, "m", "c")
    tag = {"If-Match": added.headers["etag"]}
    with patch(f"src.api.dependencies.clean_html.{limit}", value):
        for refused in (
            await administrator.post(CHAPTER, json=LONG | {"slug": "d"}),
            await administrator.put(f"{CHAPTER}/c", json=LONG | {"slug": "c"}, headers=tag),
            await administrator.put(f"{CHAPTER}/c/translations/de", json=LONG),
        ):
            assert refused.status_code == 422
            [error] = refused.json()["errors"]
            assert error["location"] == ["body", "content_html"]
            assert error["message"].startswith("could not be read within ")
    assert (await administrator.put(f"{CHAPTER}/c/translations/de", json=LONG)).is_success


def _dies(marker: Path, times: int, html: str) -> str:
    """As a process that is ended from outside, `times` times; it runs in that process."""
    died = len(marker.read_text()) if marker.exists() else 0
    if died < times:
        marker.write_text("x" * (died + 1))
        os._exit(1)
    return html


async def test_a_process_that_was_ended_is_not_the_senders_fault(administrator: AsyncClient, tmp_path: Path) -> None:
    await add_module(administrator, "m")
    with patch("src.api.dependencies.clean_html.sanitise", partial(_dies, tmp_path / "once", 1)):
        await add_chapter(administrator, "m", "c")
    with patch("src.api.dependencies.clean_html.sanitise", partial(_dies, tmp_path / "twice", 2)):
        refused = await administrator.post(CHAPTER, json=LONG | {"slug": "d"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    await add_chapter(administrator, "m", "d")


async def test_others_are_answered_while_html_is_cleaned(administrator: AsyncClient) -> None:
    await add_module(administrator, "m")
    began = last = time.monotonic()
    longest = 0.0
    adding = asyncio.create_task(add_chapter(administrator, "m", "c", content_html="<p>x" * 100_000))
    while not adding.done():
        await asyncio.sleep(0)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    await adding
    assert longest < (last - began) / 3
