"""What the HTML page of an audit has beside its findings: the chain as a graph, and every lock on a large table."""

from collections.abc import Iterator, Sequence
from html import escape

from alembic_online.audit.report import APPLIED, Audit, Step
from alembic_online.formats.html import page
from alembic_online.formats.report import Level
from alembic_online.postgres.locks import LockMode
from alembic_online.review.plan.report import Line, in_words

_ROW, _LANE = 28, 16  # pixels
_LONG = 1.0  # seconds


def audit_page(audit: Audit) -> str:
    """The whole page."""
    worst = _worst(audit)
    sections = [("Chain", _chain(audit.steps, worst)), ("Locks", _locks(audit.steps))]
    return page(audit.report, sections)


def _worst(audit: Audit) -> dict[str, str]:
    """The level of the worst finding of each revision."""
    levels = [level.value for level in Level]
    found: dict[str, str] = {}
    for finding in audit.report.findings:
        before = found.get(finding.revision, levels[-1])
        found[finding.revision] = min(before, finding.rule.level.value, key=levels.index)
    return found


def _chain(steps: Sequence[Step], worst: dict[str, str]) -> str:
    lanes = _lanes(steps)
    width = (max(lanes.values(), default=0) + 1) * _LANE
    places = {step.script.revision: (lanes[step.script.revision], row) for row, step in enumerate(steps)}
    edges = [
        _edge(places[parent], places[step.script.revision])
        for step in steps
        for parent in step.parents
        if parent in places
    ]
    dots = [
        f'<circle class="{worst.get(revision, "")}" cx="{_x(lane)}" cy="{_y(row)}" r="6"/>'
        for revision, (lane, row) in places.items()
    ]
    rows = "\n".join(_row(step, worst.get(step.script.revision, "fine")) for step in steps)
    svg = f'<svg width="{width}" height="{len(steps) * _ROW}" aria-hidden="true">{"".join([*edges, *dots])}</svg>'
    return f'<div class="chain">{svg}<ol>{rows}</ol></div>\n'


def _lanes(steps: Sequence[Step]) -> dict[str, int]:
    """The column of each revision: its parent's, unless another child is there already."""
    lanes: dict[str, int] = {}
    ends: list[str | None] = []
    """The last revision in each column, as long as a line goes on from it."""
    children = {parent: [each.script.revision for each in steps if parent in each.parents] for parent in _ids(steps)}
    for step in steps:
        revision = step.script.revision
        lane = next((place for place, end in enumerate(ends) if end in step.parents), None)
        if lane is None:
            lane = next((place for place, end in enumerate(ends) if end is None), len(ends))
            ends += [None] * (lane + 1 - len(ends))
        lanes[revision] = lane
        ends[lane] = revision
        for place, end in enumerate(ends):
            if end is not None and not [each for each in children[end] if each not in lanes]:
                ends[place] = None
        for parent in step.parents:
            if parent in lanes and parent not in ends and [each for each in children[parent] if each not in lanes]:
                ends.append(parent)
    return lanes


def _ids(steps: Sequence[Step]) -> list[str]:
    return [step.script.revision for step in steps]


def _edge(parent: tuple[int, int], child: tuple[int, int]) -> str:
    x1, y1, x2, y2 = _x(parent[0]), _y(parent[1]), _x(child[0]), _y(child[1])
    if x1 == x2:
        return f'<path d="M{x1} {y1}V{y2}"/>'
    turn = y2 - _ROW  # along the parent's column, then over
    return f'<path d="M{x1} {y1}V{turn}C{x1} {y2} {x2} {turn} {x2} {y2}"/>'


def _x(lane: int) -> int:
    return lane * _LANE + _LANE // 2


def _y(row: int) -> int:
    return row * _ROW + _ROW // 2


def _row(step: Step, level: str) -> str:
    said = "" if step.state == APPLIED else f' <b class="{level}">{escape(step.state)}</b>'
    title = escape(f"{step.file}: {step.because}" if step.because else step.file, quote=True)
    return f'<li title="{title}"><code>{escape(step.script.revision)}</code> {escape(step.message)}{said}</li>'


def _locks(steps: Sequence[Step]) -> str:
    rows = "\n".join(row for step in steps for line in step.plain for row in _lock(step, line))
    if not rows:
        return "<p>No lock that a client could meet: every table is new in the revision that touches it.</p>\n"
    said = "What plain Alembic takes on tables that are there before, longer than an instant in bold."
    head = "".join(f"<th>{name}</th>" for name in ("Where", "Statement", "Lock", "Waits meanwhile", "About"))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"
    return f'<p class="faint">{said}</p><div class="scroll">{table}</div>\n'


def _lock(step: Step, line: Line) -> Iterator[str]:
    """A row for a statement whose lock stops somebody."""
    if line.stops is None or line.stops < LockMode.SHARE:
        return
    known = [table for table in line.traced.locks if line.traced.origins.get(table, table) is not None]
    sql = " ".join(line.traced.sql.split())
    long = line.seconds >= _LONG
    about = f'<b class="error">{in_words(line.seconds)}</b>' if long else "an&nbsp;instant"
    cells = (
        f"<code>{escape(step.file.rpartition('/')[2])}:{line.traced.line}</code>",
        f"<code>{escape(sql if len(sql) <= 160 else f'{sql[:159]}…')}</code>",
        escape(f"{line.stops} on {', '.join(known)}"),
        escape(line.stops.blocks),
        about,
    )
    yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
