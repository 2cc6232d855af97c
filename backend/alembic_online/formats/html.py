"""One HTML page that needs nothing but itself: no script, no font, no picture from elsewhere."""

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from alembic_online.formats.report import Finding, Report

# Colours keep a contrast of 4.5 to their ground in both schemes (WCAG 2.2, AA).
_STYLE = """\
:root { color-scheme: light dark; --ground: #ffffff; --card: #f6f7f9; --line: #d9dde3; --ink: #1c2128; --faint: #57606a;
  --error: #b3261e; --warning: #8a5300; --note: #57606a; --fine: #1a7f37; --accent: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --card: #1d2127; --line: #363c45; --ink: #e6e9ed;
  --faint: #a3abb5; --error: #ff8a80; --warning: #f0b35a; --note: #a3abb5; --fine: #6fd08c; --accent: #7ab8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
p { margin: .25rem 0; } a { color: var(--accent); } .faint { color: var(--faint); }
code, pre { font: 13px/1.5 ui-monospace, monospace; } pre { margin: .5rem 0; padding: .6rem .8rem; overflow-x: auto;
  background: var(--ground); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem 1rem; }
.tiles a { text-decoration: none; } .tiles b { display: block; font-size: 1.5rem; line-height: 1.2; }
.error { color: var(--error); } .warning { color: var(--warning); } .note { color: var(--note); }
.fine { color: var(--fine); }
details { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0;
  padding: .5rem .9rem; }
summary { cursor: pointer; } summary code { margin-left: .35rem; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: 600; } th, td:first-child { white-space: nowrap; } .scroll { overflow-x: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dt { color: var(--faint); }
dd { margin: 0; }
.chain { display: grid; grid-template-columns: max-content 1fr; column-gap: .5rem; }
.chain ol { list-style: none; margin: 0; padding: 0; }
.chain li { height: 28px; line-height: 28px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.chain path { fill: none; stroke: var(--faint); stroke-width: 1.5; }
.chain circle { fill: var(--fine); stroke: var(--ground); stroke-width: 2; }
.chain circle.error { fill: var(--error); } .chain circle.warning { fill: var(--warning); }
.chain circle.note { fill: var(--note); }
@media print { details { break-inside: avoid; } body { max-width: none; } }
"""


def page(report: Report, sections: Iterable[tuple[str, str]]) -> str:
    """The page: what was found, and below it `sections`, each a heading and HTML."""
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(report.title)}</title>",
        f"<style>\n{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<header><h1>{escape(report.title)}</h1><p>{escape(report.headline)}</p></header>",
        "<main>",
        _tiles(report),
        *(f'<p class="warning">{escape(remark)}</p>' for remark in report.remarks),
        "<h2>Findings</h2>",
        *(_findings(report) if report.findings else ['<p class="fine">Nothing was found.</p>']),
        *(f"<section><h2>{escape(heading)}</h2>\n{body}</section>" for heading, body in sections),
        f"<h2>What was assumed</h2><dl>{_facts(report)}</dl>",
        "</main>",
        f'<footer><p class="faint">alembic-online {escape(report.version)}, {escape(report.verb)}</p></footer>',
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def anchor(code: str) -> str:
    """The id of a rule's heading."""
    return f"rule-{code}"


def _tiles(report: Report) -> str:
    found = [(rule, sum(each.rule.code == rule.code for each in report.findings)) for rule in report.rules]
    tiles = [
        f'<li><a href="#{anchor(rule.code)}"><b class="{rule.level}">{count:,}</b>{escape(rule.code)}</a></li>'
        for rule, count in found
        if count
    ]
    return f'<ul class="tiles">{"".join(tiles)}</ul>' if tiles else ""


def _findings(report: Report) -> Iterator[str]:
    for code, group in groupby(report.ordered(), key=lambda each: each.rule.code):
        found = list(group)
        rule = found[0].rule
        yield f'<h3 id="{anchor(code)}" class="{rule.level}">{escape(code)}</h3>'
        yield f'<p class="faint">{escape(rule.danger)} {escape(rule.reason)}</p>'
        yield from (_finding(each, is_open=place == 0) for place, each in enumerate(found))


def _finding(finding: Finding, *, is_open: bool) -> str:
    first, _, rest = finding.what.partition("\n")
    place = f"<code>{escape(finding.file)}:{finding.line}</code>"
    more = f"<pre>{escape(rest)}</pre>" if rest else ""
    sql = "\n".join(finding.statements)
    instead = f"<p>Instead:</p><pre>{escape(sql)}</pre>" if sql else f"<p>Instead: {escape(finding.instead)}</p>"
    shown = " open" if is_open else ""
    return f"<details{shown}><summary>{place} {escape(first)}</summary>{more}{instead}</details>"


def _facts(report: Report) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in report.facts.items())
