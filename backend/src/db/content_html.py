"""What HTML a chapter may hold: text, lists, tables, pictures, code; nothing that runs, whoever wrote it."""

import resource
import sys

import nh3

_TAGS = frozenset(nh3.ALLOWED_TAGS)
# The class of a code block names its language (`language-sql`), for whoever colours it.
_OF_ONE = {**nh3.ALLOWED_ATTRIBUTES, "code": {"class"}}
_ATTRIBUTES = {tag: {"lang", "title"} | _OF_ONE.get(tag, set()) for tag in _TAGS}


def sanitise(html: str) -> str:
    """`html` without scripts, event handlers, styles, forms, frames, and links that are not http, https or mailto.

    What is out of order is put in order as browsers do. That may take long: set a limit for authors you do not trust.
    """
    return nh3.clean(html, tags=set(_TAGS), attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"})


def sanitise_within(memory: int, html: str) -> str:
    """As `sanitise`, in a process with nothing else to do and at most `memory` bytes in all (on Linux).

    Raises `MemoryError`, or the process ends, where it asks for more.
    """
    if sys.platform != "linux":  # macOS refuses the limit
        return sanitise(html)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, before[1]))
    try:
        return sanitise(html)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
