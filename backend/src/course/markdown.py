"""Markdown into the HTML that a chapter keeps."""

from functools import cache

from markdown_it import MarkdownIt

from src.db.content_html import sanitise


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def render(markdown: str) -> str | None:
    """CommonMark, with tables, as sanitised HTML; None for an empty text."""
    return sanitise(_parser().render(markdown)) or None
