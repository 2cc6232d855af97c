"""What each commit in the middle of a revision has changed, noted in the journal; and the proof before the stamp.

The catalogue is read on the control connection, before the revision and after each such commit, when nothing is locked.
A revision that stays in its transaction is not read at all: it is there as a whole or not at all.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alembic.runtime.migration import RevisionStep

from alembic_online.errors import RequestRefused, RevisionFailed
from alembic_online.recipes.cutover.commit_points import writes_rows
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.commit_intent import is_committed
from alembic_online.runner.committed_steps import (
    Named,
    Unit,
    differing,
    is_so,
    names_in,
    state_after,
    still_done,
    units,
    unnoted,
)
from alembic_online.runner.expected_end import ExpectedEnd, types_of
from alembic_online.runner.facts import Change, Facts, Identity, changes, moved
from alembic_online.runner.halves import finish_halves
from alembic_online.runner.journal import half_done, is_done, is_end
from alembic_online.runner.replay import NOTHING
from alembic_online.runner.transactions import Transactions
from alembic_online.runtime.history import Entry

log = logging.getLogger("alembic.runtime.migration")

_LEAVES = re.compile(r"commit|rollback|concurrently|validate|add value|vacuum|reindex|backfill|analyze", re.IGNORECASE)
# Statements that may take away what they do not name.
_TAKES_MORE = re.compile(r"\b(CASCADE|DROP|RENAME|SCHEMA|ATTACH|DETACH|INHERIT|TYPE|DO|SELECT|CALL)\b", re.IGNORECASE)
_SHOWN = 3


def says_that_it_leaves(path: Path) -> bool:
    """Whether a revision says a word of those that end its transaction; else it may do so where a table is large."""
    return bool(_LEAVES.search(path.read_text(encoding="utf-8")))


class Effects:
    """Of the revisions of one run."""

    def __init__(self, attempt: Attempt, transactions: Transactions) -> None:
        self._attempt, self._transactions = attempt, transactions
        self._history, self._last = attempt.run.history, attempt.last_look
        self._entry: Entry | None = None
        self._noted = 0
        """How much of the journal is committed, and known to be."""
        self._texts: list[str] = []
        self._tracked: set[Identity] = set()
        self._has_large: bool | None = None

    @contextmanager
    def revision(self, entry: Entry, path: Path) -> Iterator[None]:
        """Look after this revision until the end of the block: it begins, or goes on after what is done indeed.

        Raises `RevisionFailed` where something of it is neither done nor undone.
        """
        self._begin(entry, path)
        try:
            yield
        finally:
            self._entry = None

    def _begin(self, entry: Entry, path: Path) -> None:
        self._entry, self._last.facts, self._last.path = None, None, None
        self._texts, self._tracked = [], set()
        if entry.journal or (self._last.looks and self._may_leave(path)):
            with self._attempt.ours():
                self._last.begin()
        if entry.journal and self._last.facts is not None:
            self._resume(entry, self._last.facts)
            finish_halves(self._attempt, self._transactions)
        self._entry, self._noted = entry, len(entry.journal)

    def _resume(self, entry: Entry, now: Facts) -> None:
        found, rest = units(entry.journal)
        if (last := unnoted(found, rest, now)) is not None:
            found += [last.unit] if last.unit is not None else []
            rest = []
        kept, strange = still_done(found, now)
        strange += last.missing if last is not None else []
        if strange:
            raise RevisionFailed(
                f"Revision {entry.revision} is half done, and what it has committed was changed since: "
                f"{_listed(strange)}.",
                "Bring that back, or take the other half back too (python -m alembic_online drift prints how).\n"
                "Then run the same command again.",
            )
        self._tracked = {each.identity for unit in kept for each in unit.changes}
        if len(kept) < len(found) or (last is not None and last.unit is None):
            # What was decided for the next step was decided for a database that is another one now.
            entry.journal[:] = [line for unit in kept for line in unit.all_lines]
            self._history.write_journal_now(entry)
            log.warning(
                "Of %s something is not there any more that an earlier try had committed: it is done again.",
                entry.revision,
            )
        else:
            entry.journal[:] = [*(line for unit in kept for line in unit.all_lines), *rest]

    def _may_leave(self, path: Path) -> bool:
        if self._has_large is None:
            self._has_large = self._history.has_table_of(self._attempt.run.policy.small_table_bytes)
        return self._has_large or says_that_it_leaves(path)

    def ran(self, sent: str) -> None:
        """A statement of the revision has run."""
        if self._is_at_work() and sent != NOTHING:
            self._texts.append(sent)
            if self._attempt.is_outside:
                self.look()

    def _is_at_work(self) -> bool:
        return self._entry is not None and self._attempt.entry is self._entry

    def look(self) -> None:
        """Note what has changed, if something was committed since the last look."""
        entry = self._entry
        if entry is None or not self._is_at_work() or all(map(is_end, entry.journal[self._noted :])):
            return
        before, self._last.facts = self._last.facts, self._last.read() if self._last.looks else None
        texts, self._texts = [*self._texts, *self._attempt.journal.take_tasks()], []
        unit = Unit()
        if before is not None and self._last.facts is not None:
            named = names_in(texts)
            unit.changes = [each for each in changes(before, self._last.facts) if self._is_ours(each, named, texts)]
            self._tracked |= {each.identity for each in unit.changes}
            writing = [text for text in texts if writes_rows(text)] if unit.changes else texts
            unit.rows_of = _rows_of(self._last.facts, names_in(writing))
            unit.moved = moved(before, self._last.facts)
            unit.history = self._last.facts.history
        entry.journal[:] = [line for line in entry.journal if not is_committed(line)]
        entry.journal.append(unit.line())
        self._noted = len(entry.journal)
        self._history.write_journal_now(entry)

    def _is_ours(self, change: Change, named: Named, texts: Sequence[str]) -> bool:
        """Whether these statements did that, and no other session."""
        identity = change.identity
        if identity not in self._tracked:
            return identity.name in named or (bool(identity.table) and identity.table in named)
        return change.after is not None or identity.name in named or any(map(_TAKES_MORE.search, texts))

    def left_alone_since(self, key: str) -> bool:
        """Whether nothing that was committed after this has to do with rows: it may be looked at once more."""
        entry = self._entry
        found = [] if entry is None else units(entry.journal)[0]
        place = next(
            (n for n, unit in enumerate(found) if any(each.startswith(f"{key}=") for each in unit.lines)), None
        )
        return place is not None and all(unit.leaves_rows_alone for unit in found[place + 1 :])

    def refuse_half_undone(self, heads: Sequence[str], steps: Sequence[object]) -> None:
        """Raise `RequestRefused` for a way that does not go on with a downgrade that is half done.

        Its revision is stamped still: whoever goes up from it, or finds nothing to do, takes it for whole.
        """
        undone = self._history.half_undone(heads)
        goes_down = bool(steps) and isinstance(steps[0], RevisionStep) and steps[0].is_downgrade
        if not undone or goes_down or any(not isinstance(step, RevisionStep) for step in steps):
            return
        now = self._last.read()
        for revision, journal in undone.items():
            found, _ = units(journal)
            if now is None or not found or still_done(found, now)[0]:
                raise RequestRefused(
                    f"The downgrade of {revision} stopped half-way: a part of what it made is gone.",
                    "Finish it first: alembic downgrade -1\nThen run the same command again.",
                )

    def prove(self, entry: Entry, commit: Callable[[], None]) -> None:
        """Before the stamp. Raises `RevisionFailed` where something that the revision has made is not there.

        It may `commit` what was done last.
        """
        self.look()
        if half := half_done(entry.journal):
            raise RevisionFailed(
                f"Of {entry.revision} this is half done, and was not asked for again: {_listed(half)}.",
                "A condition in the file finds the half and takes it for the whole.\n"
                "Take the half back (python -m alembic_online drift prints how), then run the same command again.",
            )
        found, _ = units(entry.journal)
        if self._last.facts is not None and (missing := differing(self._last.facts, state_after(found))):
            raise RevisionFailed(
                f"Revision {entry.revision} is at its end, and what it made is not all there: {_listed(missing)}.",
                "Somebody else has changed it meanwhile; nothing is stamped.\n"
                "Run the same command again: it makes what is missing, or says what is in the way.",
            )
        if missing := self._still_not_as_written(commit):
            raise RevisionFailed(
                f"Revision {entry.revision} is at its end, and what its lines say is not all so: {_listed(missing)}.",
                "Nothing is stamped. Bring it about by hand, as the file says, or take back what is there\n"
                "(python -m alembic_online drift prints how). Then run the same command again."
                + _where_it_is_wrong(entry),
            )
        if self._last.facts is not None and entry.edited and (left := self._left_over(found, self._last.facts)):
            raise RevisionFailed(
                f"Revision {entry.revision} was edited when it was half done, and what a line has made that is not in"
                f" the file any more is there still: {_listed(left)}.",
                "Take that back by hand, or put the line back. Then run the same command again.",
            )

    def _left_over(self, found: Sequence[Unit], now: Facts) -> list[str]:
        """In words, what is there of units that nothing in this try has asked for."""
        named, journal = names_in(self._attempt.asked.texts), self._attempt.journal
        last = {change.identity: (unit, change) for unit in found for change in unit.changes}
        return [
            str(identity)
            for identity, (unit, change) in last.items()
            if identity.name not in named
            and is_so(now, identity, change.after)
            and not any(journal.was_asked_for(line) for line in unit.lines if is_done(line))
        ]

    def _still_not_as_written(self, commit: Callable[[], None]) -> list[str]:
        """What differs from the texts: by the last look or, where that may be too old, by one more after a commit."""
        if self._last.facts is None or not self._not_as_written(self._last.facts):
            return []
        commit()
        now = self._last.read()
        return self._not_as_written(now) if now is not None else []

    def _not_as_written(self, facts: Facts) -> list[str]:
        """In words, what the texts of the revision's own lines say and the catalogue does not show."""
        if self._attempt.below.takes_raw_connection:
            return []
        expected = ExpectedEnd(each.name.partition("(")[0] for each in facts.objects if each.kind == "function")
        for line in self._attempt.asked.texts:
            expected.follow(line)
        types = self._history.ask(lambda connection: types_of(connection, expected.types)) if expected.types else {}
        return expected.missing(facts, self._last.path, types)


def _where_it_is_wrong(entry: Entry) -> str:
    """What a text says may have been undone in a way that no text tells."""
    stamp = f'alembic -x unproven="because ..." stamp {entry.revision}'
    return f"\nWhere something else took it away on purpose: {stamp}" if entry.direction == "upgrade" else ""


def _rows_of(now: Facts, named: Named) -> dict[Identity, int]:
    """The tables and columns that are named, each with its number."""
    tables = {(each.schema, each.name) for each in now.numbers if not each.table and each.name in named}
    return {
        each: number
        for each, number in now.numbers.items()
        if (each.kind == "table" and (each.schema, each.name) in tables)
        or (each.kind == "column" and (each.schema, each.table) in tables and each.name in named)
    }


def _listed(words: Sequence[str]) -> str:
    more = f", and {len(words) - _SHOWN} more" if words[_SHOWN:] else ""
    return f"{', '.join(words[:_SHOWN])}{more}"
