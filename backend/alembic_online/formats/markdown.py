"""Markdown for a comment on a pull request."""

import re
from collections.abc import Iterator

from alembic_online.formats.report import Finding, Level, Report

MARK = "<!-- alembic-online {verb} -->"
"""The first line, by which whoever edits his comment finds it again."""
LONGEST = 60_000
"""Characters: a comment on GitHub holds 65,536."""
_SIGNS = {Level.ERROR: "🔴", Level.WARNING: "🟠", Level.NOTE: "⚪"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_SQL_SHOWN = 12


def markdown(report: Report) -> str:
    """A headline, a table of what was found, and below it each finding to fold out. Never longer than `LONGEST`."""
    head = [MARK.format(verb=report.verb), f"### {escaped(report.title)}", "", escaped(report.headline)]
    head += [f"> {escaped(remark)}" for remark in report.remarks]
    if report.findings:
        head += ["", *_summary(report)]
    text, ordered = "\n".join(head), report.ordered()
    for place, finding in enumerate(ordered):
        part = "\n".join(_finding(finding))
        if len(text) + len(part) > LONGEST - 100:
            return f"{text}\n\nand {len(ordered) - place:,} more: `alembic-online {report.verb}` shows all of them.\n"
        text = f"{text}\n{part}"
    return f"{text}\n"


def escaped(text: str) -> str:
    """As it stands, whatever it holds, on one line."""
    return " ".join(_SPECIAL.sub(r"\\\1", text).split())


def _summary(report: Report) -> Iterator[str]:
    yield "| | rule | found | what goes wrong |"
    yield "|---|---|---|---|"
    for rule in report.rules:
        if count := sum(finding.rule.code == rule.code for finding in report.findings):
            yield f"| {_SIGNS[rule.level]} | `{rule.code}` | {count} | {escaped(rule.danger)} |"


def _finding(finding: Finding) -> Iterator[str]:
    first, _, rest = finding.what.partition("\n")
    place = f"<code>{_html(finding.file)}:{finding.line}</code>"
    yield ""
    yield f"<details><summary>{_SIGNS[finding.rule.level]} <b>{finding.rule.code}</b> {place}</summary>"
    yield ""
    yield escaped(first)
    if rest:
        yield from ("", *_fenced(rest.splitlines()))
    yield ""
    if finding.sql:
        shown = finding.statements[:_SQL_SHOWN]
        more = [f"-- and {len(finding.sql) - _SQL_SHOWN} more"] if len(finding.sql) > _SQL_SHOWN else []
        yield from ("Instead:", "", *_fenced([*shown, *more], "sql"))
    else:
        yield f"Instead: {escaped(finding.instead)}"
    yield ""
    yield "</details>"


def _fenced(lines: list[str], language: str = "") -> list[str]:
    """In a fence that is longer than any run of backticks in it."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence]


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
