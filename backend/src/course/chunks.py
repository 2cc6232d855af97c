"""A chapter's HTML becomes pieces of text that are each about one thing: what a vector is made of."""

from collections.abc import Iterator
from html.parser import HTMLParser
from textwrap import wrap

_LENGTH = 1_200  # characters: about 300 tokens, a few paragraphs
_HEADINGS = frozenset({"h1", "h2", "h3"})
_BLOCKS = _HEADINGS | {
    "h4",
    "h5",
    "h6",
    "p",
    "li",
    "pre",
    "tr",
    "blockquote",
    "dt",
    "dd",
    "div",
    "hr",
    "ul",
    "ol",
    "table",
}
_SILENT = frozenset({"script", "style"})


class _Paragraphs(HTMLParser):
    """Collects (heading, text) for each block of text, under the heading that it stands below."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self._heading = ""
        self._text: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        if tag in _BLOCKS:
            self.end_block("")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT
        if tag in _BLOCKS:
            self.end_block(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._text.append(data)

    def end_block(self, tag: str) -> None:
        text = " ".join("".join(self._text).split())
        self._text.clear()
        if text and tag in _HEADINGS:
            self._heading = text
        elif text:
            self.found.append((self._heading, text))


def chunks(title: str, html: str) -> list[str]:
    """Texts of at most about 1,200 characters, each below its title and heading; none for a chapter without text."""
    parser = _Paragraphs()
    parser.feed(html)
    parser.close()
    parser.end_block("")
    return [f"{title}: {heading}\n{text}" if heading else f"{title}\n{text}" for heading, text in _joined(parser.found)]


def _joined(paragraphs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Paragraphs of one heading together, as long as they fit."""
    current, texts = "", list[str]()
    for heading, paragraph in paragraphs:
        for part in wrap(paragraph, _LENGTH):
            if texts and (heading != current or sum(map(len, texts)) + len(part) > _LENGTH):
                yield current, "\n".join(texts)
                texts = []
            current = heading
            texts.append(part)
    if texts:
        yield current, "\n".join(texts)
