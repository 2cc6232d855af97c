"""What an audit has to say: a `Report` for every format, and all that was seen as data, of which JSON is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from alembic.script import Script

from alembic_online.alembic_seam import dependencies_of, parents_of
from alembic_online.audit.examine import Examined
from alembic_online.audit.findings import findings, message, relative, rules
from alembic_online.audit.plain import is_applied
from alembic_online.formats.report import Report
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.plan.large_tables import BYTES, ROWS, Sizes
from alembic_online.review.plan.report import Line, lines
from alembic_online.review.plan.trace import Traced
from alembic_online.runtime.table_facts import TableFacts
from alembic_online.text import counted

FORMAT, VERSION = "alembic-online/audit", 1
"""Of the data: the version grows when a key changes its meaning or goes. A new key is no new version."""
_WAYS = {True: "end in the same schema", False: "end in different schemas", None: "not compared at their end"}
APPLIED, FAILED, NOT_LOOKED_AT = "applied", "failed", "not looked at"


@dataclass(frozen=True)
class Step:
    """One revision of the chain, as it was seen."""

    script: Script
    file: str
    message: str
    parents: tuple[str, ...]
    state: str
    because: str
    """Why it failed, or which revision stands in its way."""
    plain: Sequence[Line]
    """What plain Alembic executed."""
    online: Sequence[Line] | None
    """What the toolkit executed; None where it did not."""


class Audit:
    """All that is said of one project."""

    def __init__(self, seen: Examined) -> None:
        self._seen = seen

    @cached_property
    def steps(self) -> list[Step]:
        """Each revision, from the oldest on."""
        return [self._step(script) for script in self._seen.chain]

    @property
    def prefix(self) -> str:
        """From the root of the git repository to the project's folder; empty outside of one."""
        above = (self._seen.folder, *self._seen.folder.parents)
        root = next((folder for folder in above if (folder / ".git").exists()), self._seen.folder)
        found = self._seen.folder.relative_to(root).as_posix()
        return "" if found == "." else found

    @cached_property
    def report(self) -> Report:
        """The findings, and what is said around them."""
        found, applied = list(findings(self._seen)), sum(step.state == APPLIED for step in self.steps)
        revisions = len({each.revision for each in found if each.revision})
        headline = f"{counted(applied, 'revision')} of {len(self.steps):,} looked at, {counted(len(found), 'finding')}"
        headline += f" in {counted(revisions, 'revision')}." if revisions else "."
        return Report(
            "audit",
            _version(),
            f"Audit of {self._seen.folder.name}",
            headline,
            rules(),
            found,
            list(self._remarks()),
            {
                "Tables": _assumed(self._seen.sizes),
                "PostgreSQL": f"{self._seen.version}, a scratch database; no database of yours was asked",
                "Both ways": _WAYS[self._same_end],
                "Heads": ", ".join(self._seen.scripts.get_heads()) or "none",
            },
        )

    @property
    def _same_end(self) -> bool | None:
        end = self._seen.instead.end
        return None if end is None else not end

    def _remarks(self) -> "list[str]":
        said = []
        if left_out := [step for step in self.steps if step.state == NOT_LOOKED_AT]:
            ways = dict.fromkeys(step.because for step in left_out)
            said.append(f"{counted(len(left_out), 'revision')} not looked at: built on {', '.join(ways)}, which fails.")
        if self._seen.instead.end:
            words = "; ".join(map(str, self._seen.instead.end))
            said.append(f"The toolkit's way ends in another schema, which is a defect of it: {words}.")
        if names := self._seen.stand_ins:
            said.append(f"Not in this server, so a stand-in was used: {', '.join(names)}.")
        if self._seen.not_compared:
            said.append(f"Models not compared: {self._seen.not_compared}.")
        if self._seen.instead.refused and (missing := [step for step in self.steps if step.online is None]):
            said.append(f"What would be executed instead is not known of {counted(len(missing), 'revision')}.")
        return said

    def as_data(self) -> dict[str, Any]:
        """For JSON; `audit.schema` says what each key is."""
        report, seen = self.report, self._seen
        return {
            "format": FORMAT,
            "version": VERSION,
            "tool": {"name": "alembic-online", "version": report.version},
            "scripts": relative(seen, Path(seen.scripts.dir)),
            "postgresql": seen.version,
            "assumed": {"rows": ROWS, "bytes": BYTES},
            "sizes": dict(seen.sizes.known),
            "heads": list(seen.scripts.get_heads()),
            "same_end": self._same_end,
            "models": {
                "compared": not seen.not_compared,
                "because": seen.not_compared,
                "differences": [str(each) for each in seen.differences],
            },
            "revisions": [_step_as_data(step) for step in self.steps],
            "rules": [
                {
                    "code": each.code,
                    "level": each.level.value,
                    "danger": each.danger,
                    "reason": each.reason,
                    "remedy": each.remedy,
                }
                for each in report.rules
            ],
            "findings": [
                {
                    "rule": each.rule.code,
                    "level": each.rule.level.value,
                    "revision": each.revision or None,
                    "file": each.file,
                    "line": each.line,
                    "what": each.what,
                    "instead": each.instead,
                    "sql": list(each.sql),
                }
                for each in report.findings
            ],
            "remarks": list(report.remarks),
        }

    def _step(self, script: Script) -> Step:
        seen, revision = self._seen, script.revision
        trial = seen.plain.trials.get(revision)
        state, because = APPLIED, ""
        if trial is None:
            state, because = NOT_LOOKED_AT, seen.plain.not_looked_at.get(revision, "")
        elif not is_applied(trial):
            state, because = FAILED, trial.failed.removeprefix("upgrade: ")
        online = seen.instead.statements.get(revision)
        return Step(
            script,
            relative(seen, Path(script.path)),
            message(script),
            (*parents_of(script), *dependencies_of(script)),
            state,
            because,
            _lines(trial, trial.upgrade, seen.sizes) if trial else (),
            None if trial is None or online is None else _lines(trial, online, seen.sizes),
        )


def _assumed(sizes: Sizes) -> str:
    known = f"{counted(len(sizes.known), 'size')} known, any other" if sizes.known else "each"
    return f"{known} as if it held {ROWS:,} rows in {BYTES / 1e9:.0f} GB, empty in truth"


def _lines(trial: Trial, statements: Sequence[Traced], sizes: Sizes) -> list[Line]:
    empty = {name: TableFacts(name, False, False, bytes=0, heap_bytes=0, rows=0) for name in trial.tables}
    return lines(statements, {name: sizes.of(facts) for name, facts in empty.items()})


def _step_as_data(step: Step) -> dict[str, Any]:
    return {
        "revision": step.script.revision,
        "parents": list(step.parents),
        "file": step.file,
        "message": step.message,
        "state": step.state,
        "because": step.because,
        "plain": [_line_as_data(line) for line in step.plain],
        "online": None if step.online is None else [_line_as_data(line) for line in step.online],
    }


def _line_as_data(line: Line) -> Mapping[str, Any]:
    traced = line.traced
    return {
        "line": traced.line or None,
        "sql": traced.sql,
        "transaction": traced.transaction,
        "locks": {table: str(mode) for table, mode in traced.locks.items()},
        "blocks": None if line.stops is None else line.stops.blocks,
        "rewrites": list(traced.rewrites),
        "scans": list(traced.scans),
        "destroys": list(traced.destroys),
        "seconds": round(line.seconds, 3),
    }


def _version() -> str:
    try:
        return version("alembic-online")
    except PackageNotFoundError:  # out of the repository, and not installed
        return "0"
