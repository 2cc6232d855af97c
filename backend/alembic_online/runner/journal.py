"""Which statements of a half-applied revision are committed already, so that running it again goes on after them.

A revision that stays in its transaction needs no journal: it is applied as a whole or not at all. One that leaves its
transaction (CREATE INDEX CONCURRENTLY and its kin must) has committed what came before. The journal is committed
together with it, statement by statement; on the next run those statements are passed over.

A statement is known by its text, its parameters, and which repetition of both it is. A UUID or a time among the
parameters counts only where the revision has read from the database, because then it may say which row is meant; where
it has read nothing, the revision has made it itself, and makes another in every run.

The repetitions are counted within the operation that makes the statement: a second run may pass over the whole of one,
and what another makes of the same words is not to be taken for what that one made.

An operation of several steps is noted with the first that is committed, and again when its last one is. A revision may
not ask for it a second time: `if "size" not in columns: op.add_column(...)` finds the column, and not that it is half.
"""

import hashlib
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from alembic_online.runner.commit_intent import committed
from alembic_online.runner.facts import LastLook
from alembic_online.runtime.history import Entry

# Of parameters, as asyncpg and psycopg have them: with the type that SQLAlchemy believes in, or without.
_PLACES = re.compile(
    r"(?:\$\d+|%\(\w+\)s)(?:::[\w.\"]+(?: WITH(?:OUT)? TIME ZONE| PRECISION| VARYING)?(?:\([\d, ]+\))?(?:\[\])*)?"
)
_DONE = re.compile(r"[0-9a-f]{20}:\d+=")
_BEGUN, _ENDED, _WORK = "~operation ", "=ended", "=done"


@dataclass
class Journal:
    """The statements of one run of a revision, each known by its text and by which repetition of that text it is."""

    entry: Entry
    last_look: LastLook = field(default_factory=LastLook)
    _seen: Counter[str] = field(default_factory=Counter)
    _pending: list[str] = field(default_factory=list)
    _operation: str = ""
    _tasks: list[str] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)
    """Of the statements that are to be committed, by their names."""

    @contextmanager
    def operation(self, words: str) -> Iterator[None]:
        """What runs in the block belongs to one operation, known by its words."""
        before, self._operation = self._operation, self.key(words, None, has_read=False)
        if self.noted(self._operation) is None:
            self._pending.append(f"{self._operation}{_BEGUN}{words}")
        try:
            yield
        finally:
            self._operation = before

    def end(self, operation: str) -> bool:
        """All of its steps are done; whether that is to be kept now, and not with what is still to be committed."""
        line = f"{operation}{_ENDED}"
        if self.noted(operation) is not None and line not in self.entry.journal:
            self.entry.journal.append(line)
            return True
        if any(not is_note(each) for each in self._pending):
            self._pending.append(line)
        else:  # it had nothing to do, such as NOT NULL of a column that is: so it has not begun
            self._pending = [each for each in self._pending if not each.startswith(f"{operation}{_BEGUN}")]
        return False

    @property
    def at_hand(self) -> str:
        """The operation that `operation` has begun; "" outside of any."""
        return self._operation

    @contextmanager
    def again(self, operation: str) -> Iterator[None]:
        """What runs in the block belongs to this one, which was `at_hand` before."""
        before, self._operation = self._operation, operation
        try:
            yield
        finally:
            self._operation = before

    def key(self, statement: str, parameters: object, *, has_read: bool) -> str:
        """The name of the statement that comes next, the same with either driver."""
        text = self._text(statement, parameters, has_read)
        self._seen[text] += 1
        key = f"{text}:{self._seen[text]}"
        self._texts[key] = statement
        return key

    def was_asked_for(self, line: str) -> bool:
        """Whether the statement that this line of the journal notes has come in this try, too."""
        text, _, rest = line.partition(":")
        return self._seen[text] >= int(rest.partition("=")[0])

    def is_noted(self, statement: str, operation: str) -> bool:
        """Whether an earlier try has committed such a statement, of this operation."""
        with self.again(operation):
            text = self._text(statement, None, False)
        return any(line.startswith(f"{text}:") for line in self.entry.journal)

    def _text(self, statement: str, parameters: object, has_read: bool) -> str:
        plain = _PLACES.sub("?", statement).replace("%%", "%").strip()
        known = _known(parameters, has_read)
        given = "" if known in (None, [], [[]]) else known  # a statement without values has them in several forms
        words = f"{self._operation}{plain}\0{given!r}"
        return hashlib.sha256(words.encode()).hexdigest()[:20]

    def rows(self, key: str) -> int | None:
        """How many rows it had in the try that committed it; None if no earlier try did.

        That may have done it in steps, as an operation of these words: begun does not count, and ended has no rows.
        """
        noted = next((line[len(key) + 1 :] for line in self.entry.journal if line.startswith(f"{key}=")), None)
        return None if noted is None else int(noted.partition(" ")[0].replace(_ENDED[1:], "0"))

    def returned(self, key: str) -> str:
        """The rows that it returned, as they were kept."""
        return (self.noted(key) or "").partition(" ")[2]

    def noted(self, key: str) -> str | None:
        """What was noted of it in the try that committed it."""
        return next(
            (line[len(key) + 1 :] for line in self.entry.journal if line.startswith((f"{key}=", f"{key}~"))), None
        )

    def has_begun(self, key: str) -> bool:
        """Whether an earlier try began it, outside of any transaction."""
        return f"began {key}" in self.entry.journal

    def begin(self, key: str) -> None:
        """It is about to run outside of any transaction."""
        self._keep_pending()
        self.entry.journal.append(f"began {key}")

    def add(self, key: str, rows: int, returned: str = "") -> None:
        """It ran, and will be committed with the transaction."""
        self._pending.append(f"{key}={f'{max(rows, 0)} {returned}'.rstrip()}")

    def is_added(self, key: str) -> bool:
        """Whether it is to be committed with the transaction."""
        return any(line.startswith(f"{key}=") for line in self._pending)

    def discard(self, key: str) -> None:
        """It was added before it ran, and has failed."""
        self._pending[:] = [line for line in self._pending if not line.startswith(f"{key}=")]

    def note(self, key: str, found: str) -> None:
        """What was found is kept for the next try, with the first thing that is done for it."""
        self._pending.append(f"{key}~{found}")

    def once(self, words: str, run: Callable[[], None], *, again: Callable[[str], bool] = lambda _: False) -> None:
        """Work that is more than a statement, known by these words: an earlier try has done it, or it is run.

        Also where `again` says so of its name: it finds itself what is left.
        """
        key = self.key(words, None, has_read=False)
        noted = self.noted(key) is not None
        if not noted or again(key):
            self._keep_pending()  # the work may commit in its middle
            run()
        if not noted:
            self._tasks.append(words)
            self._texts[key] = words  # a commit in the middle of it has cleared them
            self._pending.append(f"{key}{_WORK}")

    def take_tasks(self) -> list[str]:
        """The words of the work that was done since this was last asked."""
        taken, self._tasks = self._tasks, []
        return taken

    @property
    def is_pending(self) -> bool:
        """Whether something ran, or was noted, that is not committed yet."""
        return bool(self._pending)

    def roll_back(self) -> None:
        """The transaction was rolled back by the revision itself, which goes on."""
        self._pending.clear()

    @property
    def ahead(self) -> list[str]:
        """All that it will say when the transaction is committed."""
        last = [] if all(map(is_note, self._pending)) else [self._committed()]
        return [*self.entry.journal, *self._pending, *last]

    def commit(self) -> None:
        """The transaction is about to be committed: what ran in it counts as done.

        What was only found is kept together with the first thing that was done for it: by itself it is no half.
        """
        if not all(map(is_note, self._pending)):
            last = self._committed()
            self._keep_pending()
            self.entry.journal.append(last)
            self._texts.clear()

    def _committed(self) -> str:
        named = [(line, text) for line in self._pending if (text := self._texts.get(line.partition("=")[0]))]
        work = [text for line, text in named if line.endswith(_WORK)]
        return committed([text for _, text in named], self.last_look, work)

    def _keep_pending(self) -> None:
        self.entry.journal += self._pending
        self._pending.clear()

    def start_again(self) -> None:
        """The transaction was rolled back, and the revision begins again."""
        self._seen.clear()
        self._pending.clear()
        self._texts.clear()


def is_end(line: str) -> bool:
    """Whether a line of a journal says that an operation is done."""
    return line.endswith(_ENDED)


def begun(journal: Sequence[str]) -> dict[str, str]:
    """The lines that say that an operation has begun, each with its words, where none says that all of it is done.

    A revision may catch the error of one and try the same again: its repetition counts for it.
    """
    done = {line.partition(":")[0] for line in journal if is_end(line)}
    found = ((line, line.partition(_BEGUN)) for line in journal if is_note(line))
    return {line: words for line, (key, _, words) in found if words and key.partition(":")[0] not in done}


def ended(line: str) -> str:
    """The line that says that the operation is done which has begun by this one."""
    return f"{line.partition(_BEGUN)[0]}{_ENDED}"


def half_done(journal: Sequence[str]) -> list[str]:
    """In words, the operations of which something is done, and not all."""
    return [" ".join(words.split())[:100] for words in begun(journal).values()]


def is_done(line: str) -> bool:
    """Whether a line of a journal says that a statement was committed."""
    return bool(_DONE.match(line)) and not is_end(line)


def is_note(line: str) -> bool:
    """Whether a line of a journal says what was found, and not what was done."""
    return line[line.find(":") :].partition("=")[0].count("~") > 0


def _known(value: Any, has_read: bool) -> Any:
    """`value` in a form that is the same in every run; mappings by their keys, sequences as they are."""
    match value:
        case Mapping():
            return [_known(value[key], has_read) for key in sorted(value)]
        case list() | tuple():
            return [_known(each, has_read) for each in value]
        case uuid.UUID() | date() | time() if not has_read:
            return type(value).__name__
    return value
