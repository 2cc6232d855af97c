"""What waits for the cut-over: each statement, what it gives up and what it makes; and what several leave open."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from traceback import FrameSummary
from typing import Any

from alembic_online.postgres.locks import strong_locks
from alembic_online.recipes.cutover.commit_points import belongs_together
from alembic_online.recipes.cutover.numbering import owned_by, says_number
from alembic_online.recipes.cutover.replaced_type import StandIn
from alembic_online.recipes.object_effects import (
    GivenUp,
    given_up,
    granted,
    last_part,
    made,
    same_name,
    sets_default,
    switched_on,
)
from alembic_online.recipes.step import OnlineChange, Step

_OF_A_COLUMN = ("not null", "default", "numbers")


@dataclass(frozen=True)
class Waiting:
    """One statement of the cut-over."""

    sql: str
    run: Callable[[], Any]
    operation: str = ""
    """The operation that it is a step of, as the journal knows it."""
    step: Step | None = None
    bounded: str = ""
    """The words of an operation that is carried out directly, in the hope that it takes but an instant."""
    swaps: str = ""
    """The table of which a new column takes the place of the old one here."""
    index: OnlineChange | None = None
    """An index that goes, and which nobody misses sooner than at the end."""
    stand_in: StandIn | None = None
    """Of a type whose name another gives up here."""
    instead: Callable[[], Any] | None = None
    """Gives the stand-in its name."""
    line: FrameSummary | None = None
    """Where the revision says so."""
    kept: bool = False
    """The revision has committed since: what it rolls back is not this."""
    undoable: bool = False
    """It did not wait, but ran in a savepoint, to which the revision may have gone back since."""
    gives_up: tuple[GivenUp, ...] = ()
    makes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, sql: str, run: Callable[[], Any], **options: Any) -> "Waiting":
        """With what its text tells."""
        options.setdefault("gives_up", tuple(given_up(sql)))
        return cls(sql, run, makes=frozenset(made(sql)), **options)


@dataclass(frozen=True)
class Postponed:
    """What is done after the cut-over: an index that needs what that makes, and for which nobody waits; NOT NULL of a
    column that gets its default there; or a line that is kept, to become one with a line below (`recreated_columns`).
    """

    name: str
    """Of the index or column, plain; else ""."""
    run: Callable[[], Any]
    line: FrameSummary | None
    sql: str = ""
    """Of a line that is kept."""


def gaps(waiting: Sequence[Waiting]) -> Iterator[GivenUp]:
    """What these give up, and do not make again."""
    for place, one in enumerate(waiting):
        for each in one.gives_up:
            if not any(_closes(later, each) for later in waiting[place:]):
                yield each


def _closes(waiting: Waiting, each: GivenUp) -> bool:
    if each.kind == "default":
        return sets_default(waiting.sql) and any(each[:3] == other[:3] for other in waiting.gives_up)
    if each.kind == "numbers":
        return says_number(waiting.sql, each)
    if each.kind == "grant":
        return any(each[:3] == other[:3] for other in granted(waiting.sql))
    if each.kind == "switch":
        return any(each[:3] == other[:3] for other in switched_on(waiting.sql))
    return last_part(each.name) in waiting.makes


def one_by_one(waiting: list[Waiting]) -> list[list[Waiting]]:
    """Those that clients may see one after the other, where nobody could lock all of them; else all in one part."""
    come_back = any(
        _closes(later, each) or last_part(each.name) in {last_part(other.name) for other in later.gives_up}
        for place, one in enumerate(waiting)
        for each in one.gives_up
        for later in waiting[place + 1 :]
    )
    last = len(waiting) - 1
    first = next((at for at, each in enumerate(waiting) if each.swaps or belongs_together(each.sql)), last)
    alone = 0 if come_back else first
    return _by_lock([*([each] for each in waiting[:alone]), waiting[alone:]])


def _by_lock(parts: list[list[Waiting]]) -> list[list[Waiting]]:
    """Neighbours that wait for the same lock are one part: what fails has changed nothing of that table."""
    found: list[list[Waiting]] = []
    for part in parts:
        if found and _locked(part) == _locked(found[-1]) != set():
            found[-1] = [*found[-1], *part]
        else:
            found.append(part)
    return found


def _locked(part: list[Waiting]) -> set[str]:
    return {lock.name for each in part for lock in strong_locks(each.sql)}


def follows(waiting: Waiting, table: str, column: str, kinds: Collection[str]) -> bool:
    """Whether all that it does is to be done to the new column, or, without a `column`, to the new table.

    A default is set on it again, and a sequence is its own again.
    """
    if owned_by(waiting.sql, table, column):
        return True
    kinds = {*kinds, "numbers", *(("default",) if sets_default(waiting.sql) else ())}
    return bool(waiting.gives_up) and all(
        each.kind in kinds
        and (not each.table or same_name(each.table, table))
        and (each.kind not in _OF_A_COLUMN or not column or last_part(each.name).lower() == column.lower())
        for each in waiting.gives_up
    )
