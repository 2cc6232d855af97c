"""For a terminal."""

from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alembic_online.formats.report import Finding, Level, Report

_STYLES = {Level.ERROR: "bold red", Level.WARNING: "bold yellow", Level.NOTE: "bold"}
_SHOWN = 6  # statements of a finding


def show(report: Report, console: Console) -> None:
    """The findings, how many there are of each rule, and what could not be looked at."""
    for finding in report.ordered():
        _show(finding, console)
    if report.findings:
        console.print(_summary(report), "")
    for remark in report.remarks:
        console.print(Text(f"! {remark}"), soft_wrap=True)
    console.print(Text(report.headline), soft_wrap=True)


def _show(finding: Finding, console: Console) -> None:
    place = f"{finding.file}:{finding.line}: "
    console.print(Text.assemble(place, (finding.rule.code, _STYLES[finding.rule.level])), soft_wrap=True)
    instead = f"Instead: {finding.instead}" if not finding.sql else f"Instead:\n  {statements(finding)}"
    for line in (finding.what, instead):
        console.print(Text(f"  {line}".replace("\n", "\n  ")), soft_wrap=True)


def statements(finding: Finding) -> str:
    """What would be executed instead, a line each."""
    shown = finding.statements[:_SHOWN]
    more = len(finding.sql) - len(shown)
    return "\n  ".join([*shown, *([f"and {more} more"] if more else [])])


def _summary(report: Report) -> Table:
    table = Table("Rule", "Found", "Revisions", "What goes wrong", box=None, pad_edge=False)
    found = Counter(each.rule.code for each in report.findings)
    revisions = Counter(code for code, _ in {(each.rule.code, each.revision) for each in report.findings})
    for rule in report.rules:
        if rule.code in found:
            code = Text(rule.code, style=_STYLES[rule.level])
            table.add_row(code, str(found[rule.code]), str(revisions[rule.code]), Text(rule.danger))
    return table
