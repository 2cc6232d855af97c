"""HTML put in order, in one pass: what is kept of it, each tag closed where it has to be, none nested too deeply.

Who reads HTML as browsers do takes time with the square of its disorder. 450 KB of `<div>` held html5ever, which is in
nh3, for 11 s; and so do formatting that is never closed and so begins again with each paragraph, text that stands in a
table and in no cell of it, the attributes of one tag, and the character `&` alone. It gets none of that to read. Here a
tag costs the same wherever it stands, and what is written follows from the tags that are open, and from nothing else.

The rules are the HTML standard's (section 13.2.6), but that what was nested wrongly is closed, and not begun again.
"""

import re
from collections.abc import Mapping, Set
from html.entities import html5

from src.db.html_nesting import CELLS, ENDS, IN_RUBY, IN_TABLE, MISSING, TABLE_PARTS, VOID

DEEPEST = 100
"""Tags that may be open at once. Chapters have ten."""
MOST_ESCAPED = 10_000
"""Ampersands and non-breaking spaces: with each that it writes, nh3 looks through all of the text that follows."""

# What begins like a token is one, at the latest at the end of the text: no character is looked at twice.
_VALUE = r"""\s*+=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+)"""
_TOKEN = re.compile(
    r"<(?:!--(?:-?>|.*?(?:--!?>|\Z))"
    rf"|(?P<end>/?)(?P<name>[a-z][^\s/>]*+)(?P<attributes>(?:[\s/]++|[^\s/>][^\s/>=]*+(?:{_VALUE})?+)*+)(?:(?P<whole>>)|\Z)"
    r"|[!?/][^>]*+(?:>|\Z))",
    re.ASCII | re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"""([^\s/>][^\s/>=]*+)(?:\s*+=\s*+("[^"]*+|'[^']*+|[^\s>]*+)["']?+)?+""", re.ASCII)
_REFERENCE = re.compile(r"&(?:(#[0-9]{1,7};|#x[0-9a-f]{1,6};)|([a-z][a-z0-9]{0,31};))?", re.IGNORECASE)
_ESCAPED = re.compile(r"&(?:amp|nbsp|nonbreakingspace|#0*(?:38|160)|#x0*(?:26|a0));|\xa0", re.IGNORECASE)
_SILENT = {name: re.compile(rf"</{name}(?=[\s/>])", re.ASCII | re.IGNORECASE) for name in ("script", "style")}
_SPACE = "\t\n\f\r "
_NONE = frozenset[str]()


class HtmlUnfit(ValueError):
    """What no chapter needs, and what would take long to read."""


def put_in_order(html: str, tags: Set[str], attributes: Mapping[str, Set[str]]) -> str:
    """`html` with these tags, each with its attributes; scripts, styles and comments are gone. Raises `HtmlUnfit`."""
    order, place = _Order(), 0
    while token := _TOKEN.search(html, place):
        if token.start() > place:
            order.text(html[place : token.start()])
        place, (end, given) = token.end(), token.group("end", "attributes")
        name = token["name"].lower() if token["whole"] else ""
        if name in tags and end:
            order.end(name)
        elif name in tags:
            order.start(name, _kept(given, attributes.get(name, _NONE)) if given else "")
        elif name in _SILENT and not end:
            closing = _SILENT[name].search(html, place)
            place = closing.start() if closing else len(html)
    order.text(html[place:])
    orderly = order.finish()
    if sum(1 for _ in _ESCAPED.finditer(orderly)) > MOST_ESCAPED:
        raise HtmlUnfit(f"there are more than {MOST_ESCAPED:,} ampersands and non-breaking spaces")
    return orderly


def _kept(attributes: str, names: Set[str]) -> str:
    found = dict[str, str]()
    for attribute in _ATTRIBUTE.finditer(attributes):
        name, value = attribute[1].lower(), attribute[2] or ""
        if name in names and name not in found:
            found[name] = value[1:] if value[:1] in ("'", '"') else value
    return "".join(f' {name}="{_sound(value).replace(chr(34), "&quot;")}"' for name, value in found.items())


def _sound(text: str) -> str:
    """`text` with every `&` that begins no character reference written as one."""
    return _REFERENCE.sub(_reference, text) if "&" in text else text


def _reference(match: re.Match[str]) -> str:
    return match[0] if match[1] or match[2] in html5 else f"&amp;{match[0][1:]}"


class _Order:
    """Writes tags, and ends those that are open where another one, or the end of an outer one, ends them."""

    def __init__(self) -> None:
        self._written = list[str]()
        self._depth = 0
        # A table, and each cell of one, begins a scope: a tag in it ends nothing outside.
        self._scope = [""]
        self._scopes = [self._scope]

    def text(self, text: str) -> None:
        if self._scope[-1] in IN_TABLE and text.strip(_SPACE):
            self._make_room("")
        self._written.append(_sound(text).replace("<", "&lt;"))

    def start(self, name: str, attributes: str) -> None:
        if name in ENDS:
            self._end_before(name)
        if self._scope[-1] in IN_TABLE:
            self._make_room(name)
        elif name in TABLE_PARTS:
            return  # a part of no table
        self._begin(name, attributes)

    def end(self, name: str) -> None:
        """End the innermost of this name, with all that is open in it; nothing, where it cannot be reached."""
        if name in CELLS:
            if self._scope[0] == name:
                self._close(name)
        elif name in IN_TABLE:
            self._end_part(name)
        elif name in self._scope:
            self._close(name)

    def finish(self) -> str:
        """Everything that was written, with what is still open closed."""
        while self._depth:
            self._end_innermost()
        return "".join(self._written)

    def _begin(self, name: str, attributes: str = "") -> None:
        self._written.append(f"<{name}{attributes}>")
        if name in VOID:
            return
        if self._depth == DEEPEST:
            raise HtmlUnfit(f"tags nest deeper than {DEEPEST} levels")
        self._depth += 1
        if name == "table" or name in CELLS:
            self._scope = []
            self._scopes.append(self._scope)
        self._scope.append(name)

    def _end_innermost(self) -> str:
        name = self._scope.pop()
        self._written.append(f"</{name}>")
        self._depth -= 1
        if not self._scope:
            self._scopes.pop()
            self._scope = self._scopes[-1]
        return name

    def _close(self, name: str) -> None:
        while self._end_innermost() != name:
            pass

    def _end_before(self, name: str) -> None:
        """End what cannot go on when `name` begins."""
        if name in TABLE_PARTS and self._scope[0] in CELLS:
            self._close(self._scope[0])
        if name in IN_RUBY and "ruby" in self._scope:
            while self._scope[-1] != "ruby":
                self._end_innermost()
        for ended, outside in ENDS[name]:
            if not ended.isdisjoint(self._scope):
                found = next(each for each in reversed(self._scope) if each in ended or each in outside)
                if found in ended:
                    self._close(found)

    def _end_part(self, name: str) -> None:
        """End a table, or a part of it that is no cell, with the cell that is open in it."""
        in_cell = self._scope[0] in CELLS
        if name in (self._scopes[-2] if in_cell else self._scope):
            if in_cell:
                self._close(self._scope[0])
            self._close(name)

    def _make_room(self, name: str) -> None:
        """Begin the cell that is missing where something is to stand in a table beside its cells."""
        while (innermost := self._scope[-1]) in IN_TABLE and name not in IN_TABLE[innermost]:
            if innermost == "colgroup":
                self._end_innermost()
            else:
                self._begin("colgroup" if name == "col" else MISSING[innermost])
