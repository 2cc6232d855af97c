"""A snippet as HTML or as text. That of a chapter comes from HTML: its tags are gone, its entities are not."""

from html import escape, unescape

from src.db.queries.search import MARK, UNMARK, Hit


def snippet_html(hit: Hit) -> str:
    """The hit's snippet as HTML: whatever the text says, the only tag in it is `<mark>`."""
    marked = escape(" ".join(_plain(hit).split()), quote=False)
    return marked.replace(MARK, "<mark>").replace(UNMARK, "</mark>")


def snippet_text(hit: Hit) -> str:
    """The hit's snippet as text, without marks."""
    return _plain(hit).replace(MARK, "").replace(UNMARK, "")


def _plain(hit: Hit) -> str:
    return unescape(hit.snippet) if hit.chunk_index is None else hit.snippet
