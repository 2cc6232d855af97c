"""Which tags of HTML end others, and what stands in what, as the HTML standard has it (sections 4 and 13.2.6)."""

Names = frozenset[str]

VOID = frozenset({"area", "br", "col", "hr", "img", "wbr"})
"""Tags with nothing in them."""
CELLS = frozenset({"caption", "td", "th"})
"""What text may stand in, within a table."""
IN_RUBY = frozenset({"rb", "rp", "rt", "rtc"})

_SECTIONS = frozenset({"tbody", "tfoot", "thead"})
IN_TABLE: dict[str, Names] = {
    "table": _SECTIONS | {"caption", "colgroup"},
    "colgroup": frozenset({"col"}),
    **dict.fromkeys(_SECTIONS, frozenset({"tr"})),
    "tr": frozenset({"td", "th"}),
}
"""What may stand in the parts of a table that are no cells, beside spaces."""
TABLE_PARTS: Names = frozenset().union(*IN_TABLE.values())
MISSING = {"table": "tbody", **dict.fromkeys(_SECTIONS, "tr"), "tr": "td"}
"""What begins by itself where something stands in a part of a table that may not."""

_NONE, _PARAGRAPH = frozenset[str](), frozenset({"p"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_IN_NO_PARAGRAPH = frozenset(
    {"address", "article", "aside", "blockquote", "center", "details", "div", "dl", "figcaption", "figure", "footer"}
    | {"header", "hgroup", "hr", "nav", "ol", "p", "pre", "summary", "table", "ul"}
)
_TERMS = frozenset({"dd", "dt"})

ENDS: dict[str, tuple[tuple[Names, Names], ...]] = {
    **dict.fromkeys(_IN_NO_PARAGRAPH, ((_PARAGRAPH, _NONE),)),
    **dict.fromkeys(_HEADINGS, ((_PARAGRAPH, _NONE), (_HEADINGS, _NONE))),
    **dict.fromkeys(_TERMS, ((_TERMS, frozenset({"dl"})), (_PARAGRAPH, _NONE))),
    "li": ((frozenset({"li"}), frozenset({"ol", "ul"})), (_PARAGRAPH, _NONE)),
    "a": ((frozenset({"a"}), _NONE),),
    **dict.fromkeys(IN_RUBY, ()),
    **dict.fromkeys(("td", "th"), ((frozenset({"colgroup"}), _NONE),)),
    "tr": ((frozenset({"colgroup", "tr"}), _NONE),),
    **dict.fromkeys(_SECTIONS | {"caption", "colgroup"}, ((_SECTIONS | {"colgroup"}, _NONE),)),
    "col": ((_SECTIONS, _NONE),),
}
"""What a tag ends when it begins, and what the search for that does not go beyond."""
