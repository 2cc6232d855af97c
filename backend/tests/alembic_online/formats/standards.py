"""What an HTML page and a SARIF log must be like, whatever is in them."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})


class Page(HTMLParser):
    """What a browser would make of it, strictly: each element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def needs_nothing_else(text: str) -> Page:
    """Raise for a page that asks for anything from elsewhere."""
    seen = Page(text)
    assert not [tag for tag, _ in seen.tags if tag in ("script", "link", "img", "iframe", "object", "base")]
    for _, attributes in seen.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action")]
        assert (attributes.get("href") or "#").startswith("#")
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    return seen


def holds_to_the_standard(log: dict[str, Any]) -> None:
    """SARIF 2.1.0, by its sections."""
    assert log["version"] == "2.1.0"  # 3.13.2
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]  # 3.19.8
    assert re.fullmatch(r"\d+\.\d+\.\d+", driver["semanticVersion"])  # 3.19.12
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)  # 3.19.23: no two are the same
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]  # 3.12: a multiformatMessageString has text
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")  # 3.50.2
    prints = []
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]  # 3.27.6
        assert result["level"] in ("none", "note", "warning", "error")  # 3.27.10
        assert result["message"]["text"]  # 3.11.8
        (location,) = result["locations"]
        place = location["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9\-._~/%!$&'()*+,;=@]+", uri)  # 3.10.1: RFC 3986
        assert not urlsplit(uri).scheme
        assert not uri.startswith("/")  # 3.4.4: relative to its uriBaseId
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]  # 3.14.14
        assert place["region"]["startLine"] >= 1  # 3.30.5
        prints += result["partialFingerprints"].values()
    assert len(set(prints)) == len(prints)  # 3.27.17: they tell one result from another
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True  # 3.20.14
