"""What was traced, in words: what a statement blocks and for how long, and what of it is dangerous."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from src.postgres.lock_modes import LockMode
from src.safety.online.database import TableFacts
from src.safety.plan.trace import Traced

SCAN_RATE = 400e6
REWRITE_RATE = 80e6
"""Bytes of the table a second, on a machine with two cores and a common disk: to tell seconds from hours, no more."""
_LONG = 1.0
"""Seconds for which a lock that stops clients is called dangerous."""


@dataclass(frozen=True)
class Line:
    """One statement with all that is known of it."""

    traced: Traced
    seconds: float
    """Estimated from the size of the live tables."""
    tables: Mapping[str, TableFacts]

    @property
    def lock(self) -> LockMode | None:
        """The strongest."""
        return max(self.traced.locks.values(), default=None)

    @property
    def dangers(self) -> list[str]:
        """Why somebody should look, in words."""
        found = [f"destroys {what}" for what in self.traced.destroys if self._holds_rows(what)]
        stops = self.lock is not None and self.lock >= LockMode.SHARE and not self.traced.patient
        if stops and self.seconds >= _LONG:
            assert self.lock is not None, "it stops somebody"
            work = "rewrites" if self.traced.rewrites else "scans"
            tables = ", ".join(self.traced.rewrites or self.traced.scans)
            found.append(f"blocks {self.lock.blocks} for about {in_words(self.seconds)} while it {work} {tables}")
        return found

    def _holds_rows(self, what: str) -> bool:
        facts = self.tables.get(what) or self.tables.get(what.rpartition(".")[0])
        return facts is not None and facts.heap_bytes > 0


def lines(statements: Sequence[Traced], tables: Mapping[str, TableFacts]) -> list[Line]:
    """Each statement with its estimate."""
    return [Line(traced, _estimate(traced, tables), tables) for traced in statements]


def _estimate(traced: Traced, tables: Mapping[str, TableFacts]) -> float:
    def bytes_of(names: Sequence[str]) -> float:
        return float(sum(tables[name].bytes for name in names if name in tables))

    patient = bytes_of(tuple(traced.locks)) / SCAN_RATE if traced.patient else 0.0
    return bytes_of(traced.rewrites) / REWRITE_RATE + bytes_of(traced.scans) / SCAN_RATE + patient


def show(found: Sequence[Line], console: Console) -> None:
    """In words, then a table a revision."""
    for sentence in sentences(found):
        console.print(Text(sentence))
    for revision in dict.fromkeys(line.traced.revision for line in found):
        of_this = [line for line in found if line.traced.revision == revision]
        console.print(Group(Text(f"\n{revision or 'All of it, in one transaction'}", style="bold"), _table(of_this)))


def sentences(found: Sequence[Line]) -> Iterator[str]:
    """How much there is to do, and each danger."""
    if not found:
        yield "Nothing to do."
        return
    revisions = len({line.traced.revision for line in found})
    transactions = len({line.traced.transaction for line in found})
    total = in_words(sum(line.seconds for line in found))
    yield f"{revisions} revision(s), {len(found)} statement(s) in {transactions} transaction(s), about {total} of work."
    for line in found:
        yield from (f"! {line.traced.revision}: {danger}" for danger in line.dangers)


def _table(found: Sequence[Line]) -> Table:
    table = Table("Tx", "Statement", "Lock", "Blocks", "Work", "Table", "About", box=None, pad_edge=False)
    for line in found:
        traced = line.traced
        lock = "" if line.lock is None else str(line.lock)
        blocks = "" if line.lock is None or traced.patient else line.lock.blocks
        work = " ".join(word for word, tables in (("rewrites", traced.rewrites), ("scans", traced.scans)) if tables)
        about = in_words(line.seconds) if line.seconds >= _LONG else "an instant"
        row = (str(traced.transaction), _shortened(traced.sql), lock, blocks, work, _sizes(line), about)
        table.add_row(*map(Text, row))
    return table


def _shortened(statement: str) -> str:
    """Its beginning, in one line of at most 70 characters."""
    line = " ".join(statement.split())
    return line if len(line) <= 70 else f"{line[:69]}…"


def _sizes(line: Line) -> str:
    known = [line.tables[name] for name in line.traced.locks if name in line.tables]
    return ", ".join(
        f"{facts.name} ({'?' if facts.rows is None else f'{facts.rows:,}'} rows, {facts.bytes / 1e6:,.1f} MB)"
        for facts in known
    )


def as_data(line: Line) -> dict[str, object]:
    """For `--json`."""
    traced = line.traced
    return {
        "revision": traced.revision,
        "statement": traced.sql,
        "transaction": traced.transaction,
        "locks": {table: str(mode) for table, mode in traced.locks.items()},
        "blocks": None if line.lock is None or traced.patient else line.lock.blocks,
        "rewrites": list(traced.rewrites),
        "scans": list(traced.scans),
        "destroys": list(traced.destroys),
        "seconds": round(line.seconds, 3),
        "dangers": line.dangers,
    }


def in_words(seconds: float) -> str:
    """`2 s`, `3 min`, `1.5 h`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
