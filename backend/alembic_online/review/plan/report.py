"""What was traced, in words: what a statement blocks and for how long, and what of it is dangerous."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from alembic_online.postgres.locks import LockMode
from alembic_online.recipes.object_effects import GivenUp
from alembic_online.review.plan import availability_gaps as missed
from alembic_online.review.plan.trace import Traced
from alembic_online.runtime.table_facts import TableFacts
from alembic_online.text import counted

SCAN_RATE = 400e6
REWRITE_RATE = 80e6
"""Bytes of the table a second, on a machine with two cores and a common disk: to tell seconds from hours, no more."""
FILL_RATE = 20_000
"""Rows a second of a backfill on such a machine: `benchmarks/README.md` has 300,000 rows with three indexes in 14 s."""
_LONG = 1.0
"""Seconds for which a lock that stops clients is called dangerous."""


@dataclass(frozen=True)
class Line:
    """One statement with all that is known of it."""

    traced: Traced
    tables: Mapping[str, TableFacts]
    empty: frozenset[str] = frozenset()
    """Columns that hold nothing."""
    gone: Sequence[GivenUp] = ()
    """What it gives up, and a later transaction of the revision brings back."""

    @property
    def seconds(self) -> float:
        """Estimated from the size of the live tables."""
        traced = self.traced
        patient = self._bytes(traced.locks) / SCAN_RATE if traced.patient else 0.0
        filled = self.facts(traced.fills) if traced.fills else None
        filling = (filled.rows or 0) / FILL_RATE if filled else 0.0
        return self._bytes(traced.rewrites) / REWRITE_RATE + self._bytes(traced.scans) / SCAN_RATE + patient + filling

    @property
    def lock(self) -> LockMode | None:
        """The strongest."""
        return max(self.traced.locks.values(), default=None)

    @property
    def stops(self) -> LockMode | None:
        """The strongest lock that a client can run into: none where all of them are on tables that the plan made."""
        if self.traced.patient:
            return None
        return max((mode for _, mode in self._known_to_clients()), default=None)

    def _known_to_clients(self) -> Iterator[tuple[str, LockMode]]:
        origins = self.traced.origins
        return ((table, mode) for table, mode in self.traced.locks.items() if origins.get(table, table) is not None)

    @property
    def blocks(self) -> str:
        """What clients cannot do meanwhile, in words; empty where nothing is locked."""
        if self.traced.fills:
            return "nobody: in batches"
        if self.stops is not None:
            return self.stops.blocks
        return "nobody: new here" if self.traced.locks and not self.traced.patient else ""

    @property
    def dangers(self) -> list[str]:
        """Why somebody should look, in words."""
        found = [
            f"destroys {what}" for what in self.traced.destroys if self._holds_rows(what) and what not in self.empty
        ]
        if self.stops is not None and self.stops >= LockMode.SHARE and self.seconds >= _LONG:
            work = "rewrites" if self.traced.rewrites else "scans"
            tables = ", ".join(self.traced.rewrites or self.traced.scans)
            found.append(f"blocks {self.stops.blocks} for about {in_words(self.seconds)} while it {work} {tables}")
        found += [f"clients miss {missed.in_words(each)} until it is made again" for each in self.gone]
        return found

    def facts(self, table: str) -> TableFacts | None:
        """What the live table is like that this one is, whatever it is called by now; None for a new one."""
        return self.tables.get(self.traced.origins.get(table, table) or "")

    def _holds_rows(self, what: str) -> bool:
        facts = self.facts(what) or self.facts(what.rpartition(".")[0])
        return facts is not None and facts.heap_bytes > 0

    def _bytes(self, tables: Iterable[str]) -> float:
        return float(sum(facts.bytes for table in tables if (facts := self.facts(table)) is not None))


def lines(
    statements: Sequence[Traced], tables: Mapping[str, TableFacts], empty: frozenset[str] = frozenset()
) -> list[Line]:
    """Each statement with what is known of the live tables, and of their columns that are `empty`."""
    gone: dict[int, list[GivenUp]] = {}
    for traced, each in missed.missed(statements):
        gone.setdefault(id(traced), []).append(each)
    return [Line(traced, tables, empty, gone.get(id(traced), ())) for traced in statements]


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
    done = f"{counted(len(found), 'statement')} in {counted(transactions, 'transaction')}"
    yield f"{counted(revisions, 'revision')}, {done}, about {total} of work."
    for line in found:
        yield from (f"! {line.traced.revision}: {danger}" for danger in line.dangers)


def _table(found: Sequence[Line]) -> Table:
    table = Table("Tx", "Statement", "Lock", "Blocks", "Work", "Table", "About", box=None, pad_edge=False)
    for line in found:
        traced = line.traced
        lock = "" if line.lock is None else str(line.lock)
        kinds = (("rewrites", traced.rewrites), ("scans", traced.scans), ("fills", traced.fills))
        work = " ".join(word for word, tables in kinds if tables)
        about = in_words(line.seconds) if line.seconds >= _LONG else "an instant"
        row = (str(traced.transaction), _shortened(traced.sql), lock, line.blocks, work, _sizes(line), about)
        table.add_row(*map(Text, row))
    return table


def _shortened(statement: str) -> str:
    """Its beginning, in one line of at most 70 characters."""
    line = " ".join(statement.split())
    return line if len(line) <= 70 else f"{line[:69]}…"


def _sizes(line: Line) -> str:
    tables = [*line.traced.locks, *filter(None, [line.traced.fills])]
    known = ((name, line.facts(name)) for name in tables)
    return ", ".join(f"{name} ({_rows(facts)}, {facts.bytes / 1e6:,.1f} MB)" for name, facts in known if facts)


def _rows(facts: TableFacts) -> str:
    return "? rows" if facts.rows is None else counted(facts.rows, "row")


def as_data(line: Line) -> dict[str, object]:
    """For `--json`."""
    traced = line.traced
    return {
        "revision": traced.revision,
        "statement": traced.sql,
        "transaction": traced.transaction,
        "locks": {table: str(mode) for table, mode in traced.locks.items()},
        "blocks": None if line.stops is None else line.stops.blocks,
        "new_tables": [table for table, origin in traced.origins.items() if origin is None],
        "rewrites": list(traced.rewrites),
        "scans": list(traced.scans),
        "fills": traced.fills or None,
        "destroys": list(traced.destroys),
        "seconds": round(line.seconds, 3),
        "dangers": line.dangers,
    }


def in_words(seconds: float) -> str:
    """`2 s`, `3 min`, `1.5 h`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
