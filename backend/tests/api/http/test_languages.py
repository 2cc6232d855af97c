"""Promise: a reader gets the best of his languages, by the lookup of RFC 4647, and is told which he got."""

import pytest
from httpx import AsyncClient

from src.api.http.languages import read_accept_language, wanted
from src.db.languages import canonical_language
from tests.api.course import add_chapter, add_module, put_translation

HEADERS: list[tuple[str, list[str], set[str]]] = [
    ("", [], set()),
    ("de", ["de"], set()),
    ("fr;q=0.5, de, en;q=0.8", ["de", "en", "fr"], set()),
    ("de-AT;q=0, en, *;q=0.000", ["en"], {"de-at", "*"}),
    ("de-CH, de;q=0.9, *;q=0.1", ["de-CH", "de", "*"], set()),
    ("de ; q=0.7 , fr", ["fr", "de"], set()),
    ("de;q=2, x_y, ;, en;q=0.3", ["en"], set()),
    ("de;q=1.000, fr;q=1", ["de", "fr"], set()),
]

# ranges, languages to look for, whether the original (en) is among them
LOOKUPS = [
    ([], [], True),
    (["de"], ["de"], False),
    (["zh-Hant-CN-x-private1"], ["zh-hant-cn-x-private1", "zh-hant-cn", "zh-hant", "zh"], False),
    (["en-GB", "de"], ["en-gb"], True),
    (["de", "en", "fr"], ["de"], True),
    (["de", "*"], ["de"], True),
]

# ranges, what is refused, languages to look for, whether the original (en) is among them
REFUSALS: list[tuple[list[str], set[str], list[str], bool]] = [
    ([], {"en"}, [], False),
    ([], {"de"}, [], True),
    ([], {"*"}, [], False),
    (["*"], {"en"}, [], False),
    (["*"], {"de"}, [], True),
    (["en"], {"*"}, [], True),
    (["de-AT"], {"de"}, ["de-at"], False),
    (["en-GB", "fr"], {"en"}, ["en-gb", "fr"], False),
]

CODES = [
    ("DE", "de"),
    ("pt-br", "pt-BR"),
    ("ZH-hant-tw", "zh-Hant-TW"),
    ("de-1996", "de-1996"),
    ("en-x-us", "en-x-us"),
    ("sl-ROZAJ", "sl-rozaj"),
]

# ?lang=, Accept-Language, and the language that the chapter then comes in; it is there in en, de, pt-BR
ANSWERS = [
    (None, None, "en", False),
    ("de", None, "de", False),
    ("DE-at", None, "de", False),
    ("fr", None, "en", True),
    ("en-US", None, "en", False),
    (None, "fr, de;q=0.5", "de", False),
    (None, "en, de", "en", False),
    (None, "pt", "en", True),
    (None, "pt-BR", "pt-BR", False),
    (None, "it", "en", True),
    ("de", "pt-BR", "de", False),
    (None, "es", "en", True),
    (None, "fi", "en", True),
    (None, "en;q=0", "en", True),
    (None, "en;q=0, de;q=0.1", "de", False),
]


@pytest.mark.parametrize(("header", "ranges", "refused"), HEADERS)
def test_the_header_is_read_by_weight(header: str, ranges: list[str], refused: set[str]) -> None:
    assert read_accept_language(header) == (ranges, frozenset(refused))


@pytest.mark.parametrize(("ranges", "languages", "accepts_original"), LOOKUPS)
def test_ranges_are_shortened_until_the_original(
    ranges: list[str], languages: list[str], accepts_original: bool
) -> None:
    found = wanted(ranges, "en")
    assert (found.languages, found.accepts_original) == (languages, accepts_original)


@pytest.mark.parametrize(("ranges", "refused", "languages", "accepts_original"), REFUSALS)
def test_what_is_refused_is_not_fallen_back_to(
    ranges: list[str], refused: set[str], languages: list[str], accepts_original: bool
) -> None:
    found = wanted(ranges, "en", refused)
    assert (found.languages, found.accepts_original) == (languages, accepts_original)


@pytest.mark.parametrize(("tag", "canonical"), CODES)
def test_tags_have_one_spelling(tag: str, canonical: str) -> None:
    assert canonical_language(tag) == canonical


async def test_a_chapter_comes_in_the_best_language(api: AsyncClient, administrator: AsyncClient) -> None:
    await add_module(administrator, "m")
    await add_chapter(administrator, "m", "c", title="en")
    for language in ("de", "pt-br"):
        await put_translation(administrator, "m/chapters/c", language, title=canonical_language(language))
    await put_translation(administrator, "m/chapters/c", "es", is_published=False)
    await put_translation(administrator, "m/chapters/c", "fi", content_html=None)
    for lang, accept, language, is_fallback in ANSWERS:
        answer = await api.get(
            "modules/m/chapters/c",
            params={"lang": lang} if lang else {},
            headers={"Accept-Language": accept} if accept else {},
        )
        chapter = answer.json()
        assert (chapter["title"], chapter["language"], chapter["is_fallback"]) == (language, language, is_fallback)
        assert answer.headers["content-language"] == language
        assert "Accept-Language" in answer.headers["vary"]
        assert chapter["languages"] == ["en", "de", "pt-BR"]


async def test_a_malformed_language_is_refused(api: AsyncClient, administrator: AsyncClient) -> None:
    await add_module(administrator, "m")
    await add_chapter(administrator, "m", "c")
    assert (await api.get("modules/m/chapters/c", params={"lang": "not_a_tag"})).status_code == 422


async def test_a_copy_in_one_language_is_no_copy_in_another(api: AsyncClient, administrator: AsyncClient) -> None:
    await add_module(administrator, "m")
    await add_chapter(administrator, "m", "c")
    await put_translation(administrator, "m/chapters/c", "de")
    path = "modules/m/chapters/c"
    german = (await api.get(path, params={"lang": "de"})).headers["etag"]
    same = await api.get(path, params={"lang": "de"}, headers={"If-None-Match": german})
    assert (same.status_code, same.headers["content-language"]) == (304, "de")
    assert (await api.get(path, headers={"If-None-Match": german})).status_code == 200


async def test_an_edit_may_be_based_on_what_was_read_in_any_language(administrator: AsyncClient) -> None:
    await add_module(administrator, "m")
    await add_chapter(administrator, "m", "c")
    await put_translation(administrator, "m/chapters/c", "de")
    read = await administrator.get("modules/m/chapters/c", params={"lang": "de"})
    content = {"slug": "c", "title": "New"}
    tag = {"If-Match": read.headers["etag"]}
    assert (await administrator.put("modules/m/chapters/c", json=content, headers=tag)).status_code == 200
    assert (await administrator.put("modules/m/chapters/c", json=content, headers=tag)).status_code == 412
