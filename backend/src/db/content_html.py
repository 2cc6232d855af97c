"""What HTML a chapter may hold: text, lists, tables, pictures, code; nothing that runs, whoever wrote it."""

import nh3

from src.db.orderly_html import put_in_order

_TAGS = frozenset(nh3.ALLOWED_TAGS)
# The class of a code block names its language (`language-sql`), for whoever colours it.
_OF_ONE = {**nh3.ALLOWED_ATTRIBUTES, "code": {"class"}}
_ATTRIBUTES = {tag: {"lang", "title"} | _OF_ONE.get(tag, set()) for tag in _TAGS}


def sanitise(html: str) -> str:
    """`html` without scripts, event handlers, styles, forms, frames, and links that are not http, https or mailto.

    Takes about half a second at most for 500 KB, whatever stands in them. Raises `HtmlUnfit`.
    """
    # nh3 is the guard; what it would take out is gone before, so that it has nothing to puzzle over.
    orderly = put_in_order(html, _TAGS, _ATTRIBUTES)
    return nh3.clean(orderly, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"})
