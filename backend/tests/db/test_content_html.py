"""Promise: nothing that runs is left of a chapter's HTML, and what is in order stays as it is."""

import pytest

from src.db.content_html import sanitise

SAME = [
    "",
    "<p>Wait <b>briefly</b>.</p>",
    "<p>a &amp; b &lt;c&gt; d</p>\n<hr>\n<p>é \U0001f600</p>",
    '<ul>\n<li>\n<p>one</p>\n<ol start="3">\n<li>two</li>\n</ol>\n</li>\n</ul>',
    '<table>\n<thead>\n<tr>\n<th align="left">a</th>\n</tr>\n</thead>\n<tbody>\n<tr><td>b</td></tr></tbody>\n</table>',
    "<table><caption><p>a</p></caption><colgroup><col><col></colgroup><tbody><tr><td>b</td></tr></tbody></table>",
    '<pre><code class="language-sql">SELECT 1 &lt; 2\n</code></pre>',
    '<p lang="de" title="Satz">Warte kurz.</p>',
    "<dl><dt>a</dt><dd><p>b</p></dd></dl>",
    "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>",
    '<blockquote><div><h2>a</h2><figure><img src="x" alt="y"><figcaption>b</figcaption></figure></div></blockquote>',
]

CLEANED = [
    ("<p onclick=x>a<script>b</script>", "<p>a</p>"),
    ("<p style='color: red'>a</p><style>p {}</style>", "<p>a</p>"),
    ("a<iframe src=x></iframe><form><input name=b></form>", "a"),
    ("<a href='javascript:a'>b</a>", '<a rel="noopener noreferrer">b</a>'),
    ("<img src='data:text/html,x' alt=y>", '<img alt="y">'),
    ("a<!-- b -->c", "ac"),
    ("<p>a<p>b", "<p>a</p><p>b</p>"),
    ("a & b &nope; &copy; <3", "a &amp; b &amp;nope; © &lt;3"),
]


@pytest.mark.pure
@pytest.mark.parametrize("html", SAME)
def test_what_is_in_order_stays_as_it_is(html: str) -> None:
    assert sanitise(html) == html


@pytest.mark.pure
@pytest.mark.parametrize(("html", "cleaned"), CLEANED)
def test_nothing_that_runs_is_left(html: str, cleaned: str) -> None:
    assert sanitise(html) == cleaned
