"""What HTML a chapter may hold: text, lists, tables, pictures, code; nothing that runs, whoever wrote it."""

import nh3

# The class of a code block names its language (`language-sql`), for whoever colours it.
_ATTRIBUTES = {**nh3.ALLOWED_ATTRIBUTES, "code": {"class"}}


def sanitise(html: str) -> str:
    """`html` without scripts, event handlers, styles, forms, frames, and links that are not http, https or mailto."""
    return nh3.clean(html, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"})
