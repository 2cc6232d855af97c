"""A new table like the old one, filled and kept in step until the swap."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from alembic_online.backfill.in_upgrade import runner
from alembic_online.recipes.database import Database
from alembic_online.recipes.index_build import built_again
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import last_part, made
from alembic_online.recipes.shadow_table.change_capture import begin_notes, copy_all, copy_noted, end_notes, make_notes
from alembic_online.recipes.shadow_table.concurrent_ddl_check import owned
from alembic_online.recipes.shadow_table.create_like import create_like, granted_again
from alembic_online.recipes.shadow_table.recreate_indexes import carried
from alembic_online.recipes.shadow_table.source_table import OldTable
from alembic_online.recipes.step import Step, Steps, Task


@dataclass(frozen=True)
class Copy:
    """Statements, phase by phase. What is locked is locked in the transaction of what comes after it."""

    old: OldTable
    owned: str
    """What the old one had when this was planned."""
    make: str
    lock_to_begin: str
    begin: str
    filled: list[str]
    moved: list[str]
    """What the swap does with what was made."""

    def as_text(self) -> str:
        """To be kept."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Copy":
        """What `as_text` gave."""
        given = json.loads(text)
        return cls(**{**given, "old": OldTable(**given["old"])})


def plan_copy(
    old: OldTable, change: str, database: Database, checks: Sequence[str] = (), *, gone_above: bool = False
) -> Copy:
    """`ALTER TABLE ... change` is made to the new one while it is empty; `checks` are statements that come after it.

    With `gone_above` it has no index that the revision drops above.
    """
    before, parts = owned(database, old), carried(database, old, gone_above=gone_above)
    changed = f"ALTER TABLE {old.new} {change}"
    added = {last_part(each) for each in made(f"ALTER TABLE {old.sql} {change}")}
    granted = granted_again(database, old, [each for each in old.dropped if plain(each) in added])
    return Copy(
        old,
        before,
        make=block([*create_like(database, old), changed, *checks, *granted, *parts.key, *make_notes(old)]),
        lock_to_begin=f"LOCK TABLE {old.sql} IN SHARE ROW EXCLUSIVE MODE",
        begin=block(begin_notes(old)),
        filled=parts.filled,
        moved=parts.moved,
    )


def carried_out(copy: Copy, database: Database) -> Steps:
    """All of it, but for the swap."""
    old = copy.old
    yield Step(sql=copy.make)
    yield Step(sql=copy.lock_to_begin, with_next=True)
    yield Step(sql=copy.begin)
    yield _copied(old)
    yield Step(sql=block([copy_noted(old)]))
    yield from built_again(old.sql, (Step(sql=statement) for statement in copy.filled), database)
    yield Step(sql=f"ANALYZE {old.new}")
    # What came while the indexes were built, so that little is left to the swap.
    yield Step(sql=block([copy_noted(old)]))


def block(statements: Iterable[str]) -> str:
    """One statement of them: their locks are held for one answer of the server, not for forty."""
    return f"DO $block$ BEGIN {'; '.join(statements)}; END $block$"


def _copied(old: OldTable) -> Task:
    given_up = "; ".join(end_notes(old))
    refused = f"The new table waits, and refuses such rows. To give the change up instead: {given_up}"
    return Task(words=f"copy {old.sql} to {old.new}", run=runner(copy_all(old), refused), script=lambda: ())
