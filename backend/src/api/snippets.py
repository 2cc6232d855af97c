"""A snippet as HTML: whatever the text says, the only tag in it is `<mark>`."""

from html import escape, unescape

from src.db.queries.search import MARK, UNMARK, Hit


def snippet_html(hit: Hit) -> str:
    """The hit's snippet, escaped. That of a chapter comes from HTML, whose tags are gone and whose entities are not."""
    text = hit.snippet if hit.chunk_id else unescape(hit.snippet)
    marked = escape(" ".join(text.split()), quote=False)
    return marked.replace(MARK, "<mark>").replace(UNMARK, "</mark>")
