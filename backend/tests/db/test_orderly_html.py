"""Promise: HTML is cleaned in little time whatever stands in it, and what is in order already is left as it is."""

import re
import time
from contextlib import suppress

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.db.content_html import sanitise
from src.db.orderly_html import DEEPEST, MOST_ESCAPED, HtmlUnfit, put_in_order

_LARGEST = 500_000  # characters, as many as the API takes
_LIMIT = 1.5  # seconds of one core, of which the worst takes a third
_FORMATS = "".join(f"<b title={number}>" for number in range(DEEPEST - 5))

# A beginning, and what follows again and again. The first seven are the worst for nh3 alone, up to all memory; the
# others are the worst for whoever puts HTML in order.
WORST = [
    ("", "<div>"),
    ("<p>" + _FORMATS, "<p>x"),
    ("<table>" + _FORMATS, "x<tr>"),
    ("<table>", "<p>x"),
    ("<a ", "a{number} "),
    ("", "&"),
    ("", "\u00a0"),
    ("<div>" * (DEEPEST - 5), "<p>x"),
    ("<b><table><tr><td>" + "<span>" * (DEEPEST - 10), "</b>"),
    ("<li><ul>" + "<span>" * (DEEPEST - 10), "<li></li>"),
    ("", "<"),
    ("", '<a "'),
    ("", "<!--"),
    ("", "<script></scrip"),
    ("", "<div><svg><style><!--</style></div>--></style></svg>"),
    ("\U0001f600" * 250_000, "&amp" * (MOST_ESCAPED // 2)),
]

DEEP = [
    "<div>" * 101,
    "<div/>" * 101,
    "<div></span>" * 101,
    "<div><!--</div>-->" * 101,
    "<div><![CDATA[</div>]]>" * 101,
    "<div title='</div>'>" * 101,
    "<div><table></div>" * 101,
    "<table><td><div></table-x>" * 60,
    "<b><p></b>" + "<blockquote><p></blockquote-x>" * 101,
    "<table>" * 101,
    "<<!-- -->div>" * 5 + "<em>" * 101,
]

FLAT = [
    "<p>" * 1_000,
    "<ul>" + "<li>x" * 1_000,
    "<dl>" + "<dt>x<dd>y" * 1_000,
    "<table>" + "<tr><td>x<td>y" * 1_000,
    "<p>a<br>b<img src=x><wbr>" * 1_000,
    "<svg>" + "<path d='M0'/>" * 1_000 + "</svg>",
    "<!-- <div> -->" * 1_000,
    "<script>" + "<div>" * 1_000 + "</script>",
    "<form>" + "<input>" * 1_000,
    "</div>" * 1_000,
    "<p><b>x" * 1_000,
    "a < b <3 &lt;div>" * 1_000,
]

SAME = [
    "",
    "<p>Wait <b>briefly</b>.</p>",
    "<p>a &amp; b &lt;c&gt; d</p>\n<hr>\n<p>é \U0001f600</p>",
    '<ul>\n<li>\n<p>one</p>\n<ol start="3">\n<li>two</li>\n</ol>\n</li>\n</ul>',
    '<table>\n<thead>\n<tr>\n<th align="left">a</th>\n</tr>\n</thead>\n<tbody>\n<tr><td>b</td></tr></tbody>\n</table>',
    "<table><caption><p>a</p></caption><colgroup><col><col></colgroup><tbody><tr><td>b</td></tr></tbody></table>",
    "<table><tbody><tr><td><table><tbody><tr><td><p>a</p></td></tr></tbody></table></td></tr></tbody></table>",
    '<pre><code class="language-sql">SELECT 1 &lt; 2\n</code></pre>',
    "<dl><dt>a</dt><dd><p>b</p></dd></dl>",
    "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>",
    "<blockquote><div><h2>a</h2><figure><img src=\"x\" alt='y'><figcaption>b</figcaption></figure></div></blockquote>",
    "<b><div><i>a</i></div></b>",
]

# what is out of order, and what becomes of it
ORDER = [
    ("<p>a<p>b", "<p>a</p><p>b</p>"),
    ("<p>a<div>b</div>", "<p>a</p><div>b</div>"),
    ("<b><i>a</b>b</i>", "<b><i>a</i></b>b"),
    ("<div><p><b>a</div>b", "<div><p><b>a</b></p></div>b"),
    ("<a href=x>a<a href=y>b", '<a href="x">a</a><a href="y">b</a>'),
    ("<h1>a<h2>b", "<h1>a</h1><h2>b</h2>"),
    ("<ul><li>a<ul><li>b</ul><li>c</ul>", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
    ("<td>a</td><tr>b", "ab"),
    ("<table>a<tr>b<td>c</table>", "<table><tbody><tr><td>a</td></tr><tr><td>b</td><td>c</td></tr></tbody></table>"),
    ("<table><td>a</div></b></p>b", "<table><tbody><tr><td>ab</td></tr></tbody></table>"),
    ("<div><table><tr><td>a</div>b", "<div><table><tbody><tr><td>ab</td></tr></tbody></table></div>"),
    ("<table><col><td>a", "<table><colgroup><col></colgroup><tbody><tr><td>a</td></tr></tbody></table>"),
    ("<P TITLE='a\"b' title=c onclick=d>e", '<p title="a&quot;b">e</p>'),
    ("<b title=a/b x = y>c</b title=d>", '<b title="a/b">c</b>'),
    ("<textarea><b>a</b></textarea>", "<b>a</b>"),
    ("a<script>b</style>c</script >d<style>e", "ad"),
    ("a<!-- > b --><!-->c<!-- d --!>e<?f><!g>", "ace"),
    ("a & b &nope; &copy; &#228; <3", "a &amp; b &amp;nope; © ä &lt;3"),
    ("a<b", "a"),
    ("<a href='javascript:a'>b</a>", "<a>b</a>"),
]

_WORDS = re.compile("<[^>]*>|[^<]+")
_PIECES = [f"<{slash}{name}>" for name in sorted(nh3.ALLOWED_TAGS | {"tfoot", "svg", "select"}) for slash in ("", "/")]
_SOUPS = st.lists(st.sampled_from([*_PIECES, "x", " ", "&amp;", "<!-- -->"]), max_size=40).map("".join)


@pytest.mark.parametrize(("beginning", "again"), WORST, ids=lambda text: text[:12] or "-")
def test_the_worst_takes_little_time(beginning: str, again: str) -> None:
    room = (_LARGEST - len(beginning)) // len(again)
    html = beginning + "".join(again.format(number=number) for number in range(room))
    began = time.thread_time()
    with suppress(HtmlUnfit):
        sanitise(html[:_LARGEST])
    assert time.thread_time() - began < _LIMIT


@pytest.mark.parametrize("html", DEEP)
def test_what_nests_too_deeply_is_refused_however_it_is_hidden(html: str) -> None:
    with pytest.raises(HtmlUnfit, match="deeper than 100"):
        sanitise(html)


@pytest.mark.parametrize("html", FLAT)
def test_what_does_not_nest_is_taken_however_long(html: str) -> None:
    sanitise(html)


@pytest.mark.parametrize("html", SAME)
def test_what_is_in_order_stays_as_it_is(html: str) -> None:
    assert sanitise(html) == nh3.clean(html, attributes={**nh3.ALLOWED_ATTRIBUTES, "code": {"class"}})


@pytest.mark.parametrize(("html", "orderly"), ORDER)
def test_what_is_out_of_order_is_closed_where_it_has_to_be(html: str, orderly: str) -> None:
    assert sanitise(html).replace(' rel="noopener noreferrer"', "") == orderly


@settings(max_examples=200, deadline=None)
@given(_SOUPS)
def test_a_parser_finds_nothing_to_add_or_move(html: str) -> None:
    orderly = put_in_order(html, nh3.ALLOWED_TAGS | {"tfoot"}, {})
    read = nh3.clean(orderly, tags=nh3.ALLOWED_TAGS | {"tfoot"}, link_rel=None)
    assert _WORDS.findall(read) == _WORDS.findall(orderly)
