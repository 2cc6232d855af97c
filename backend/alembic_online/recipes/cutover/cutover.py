"""The cut-over of a revision: what takes but an instant and clients would notice, kept until all of it is one short
transaction.

A default, view or constraint that is dropped here and comes back below would be missing for as long as a table is
copied in between. So what needs no work on rows waits, and the work overtakes it: the new column is filled, the new
index built, while everything old is still there. Only the last step of such work, which puts the new in the place of
the old, waits as well. Nothing is locked meanwhile.
"""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from traceback import FrameSummary

from alembic_online.postgres.locks import strong_locks
from alembic_online.postgres.locks.reader import statements
from alembic_online.postgres.sql.tokens import tokens
from alembic_online.recipes.cutover.numbering import says_number, sequences_set
from alembic_online.recipes.cutover.pending_statements import Postponed, Waiting, follows, gaps
from alembic_online.recipes.cutover.replaced_type import StandIn, stand_in
from alembic_online.recipes.cutover.statement_forms import (
    adds_column,
    adopts_index,
    altered_column,
    changes_schema,
    is_check_or_foreign_key,
    is_key,
    is_type_change,
    makes_index,
    makes_on_columns,
    names_of,
    renames_index,
    sets_not_null,
)
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import (
    GivenUp,
    besides_dropped,
    given_up,
    last_part,
    made,
    same_name,
    sets_default,
)
from alembic_online.recipes.step import Step, Task

_PARTITIONS = re.compile(r"\b((ATTACH|DETACH)\s+PARTITION|PARTITION\s+OF|INHERITS?)\b", re.IGNORECASE)
_UNNAMED = {"check", "foreign", "not"}
"""What stands in the place of a name where a constraint is added without one."""
_AFTER_SWAP = ("not null", "index", "key")
"""What a column that is rebuilt carries over: only from the new one it is taken away."""
_AFTER_SWAP_OF_TYPE = ("not null", "key")
"""An index may name the type that goes."""


@dataclass
class CutOver:
    """What waits, in its order, and what is to be done when that has been carried out."""

    waiting: list[Waiting] = field(default_factory=list)
    after: list[tuple[str, Step | Task, FrameSummary | None]] = field(default_factory=list)
    """With the operation, and its line."""
    postponed: list[Postponed] = field(default_factory=list)
    _replaces_type: bool = False
    """A column gets another enum: what names the labels of the old one cannot be carried over."""
    helpers: list[str] = field(default_factory=list)
    """How somebody takes away the columns that are filled and wait to be swapped."""
    unfit: set[str] = field(default_factory=set)
    """The indexes, by their plain names, that are dropped here and cannot be made for a column's new type."""

    def __bool__(self) -> bool:
        return bool(self.waiting)

    def forget(self) -> None:
        """Nothing waits any more, but for what a commit came after."""
        self.waiting = [each for each in self.waiting if each.kept]
        self.after.clear()
        self.postponed.clear()
        self.helpers.clear()
        self.unfit.clear()
        self._replaces_type = False

    def replace_type(self) -> None:
        """A column is about to get another enum."""
        self._replaces_type = True

    def keep(self) -> None:
        """The revision commits by itself, and what waits goes on waiting."""
        self.waiting = [replace(each, kept=True) for each in self.waiting]

    def add(self, waiting: Waiting) -> None:
        """It comes last; but what a column that is rebuilt carries over is taken away after its swap.

        And what is made on it, or said of it, is made and said afterwards, of the new one.
        """
        swaps, kinds = plain(waiting.swaps), _AFTER_SWAP_OF_TYPE if self._drops_indexes_first() else _AFTER_SWAP
        column = waiting.step.column if waiting.step else ""
        later = [
            each
            for each in self.waiting
            if swaps and follows(each, swaps, column, kinds) and not self.unfit & _indexes_of(each)
        ]
        moved = {name for each in later for name in each.makes}
        later += [each for each in self.waiting if each not in later and sequences_set(each.sql) & moved]
        parts = {last_part(plain(each)) for each in waiting.step.parts} if waiting.step else set()
        later += [each for each in self.waiting if each not in later and swaps and _comes_for_key(each, later, parts)]
        later += self._made_on(waiting.step, later) if waiting.step and swaps else []
        later += self._after_types(waiting.step, later) if waiting.step and waiting.step.leaves else []
        self.waiting = [each for each in self.waiting if each not in later] + [waiting, *later]

    def _after_types(self, swap: Step, besides: Sequence[Waiting]) -> list[Waiting]:
        """What drops the types that columns leave, and what needs their names: its lines may stand above the swap.

        Nor may they be renamed before a whole table is exchanged: its last rows are copied there, by the names at hand.
        """
        names = {last_part(plain(kind.removesuffix("[]"))) for kind in swap.leaves}
        free, found = set[str](), list[Waiting]()
        for each in self.waiting:
            gone = names & {last_part(one.name) for one in each.gives_up if one.kind == "type"}
            is_renamed = bool(gone) and "RENAME" in each.sql.upper()
            names = (names - gone) | each.makes if is_renamed else names
            if (gone and not (is_renamed and swap.column)) or free & each.makes:
                free |= gone
                found.append(each)
        return [each for each in found if each not in besides]

    def _made_on(self, swap: Step, besides: Sequence[Waiting]) -> list[Waiting]:
        """What is said of the column, by statements that run as they stand; with those that name what these make."""
        found, names = list[Waiting](), set[str]()
        for each in self.waiting:
            later = each.step is None and bool(names & names_of(each.sql))
            if each not in besides and (later or self._is_of_column(each, swap)):
                found.append(each)
                names |= each.makes
        return found

    def _is_of_column(self, waiting: Waiting, swap: Step) -> bool:
        tables, sql = [plain(each) for each in (swap.swaps, *swap.parts)], waiting.sql
        is_on_table = any(same_name(name, table) for name in _written_tables(sql) for table in tables)
        if waiting.step is not None:  # of an index that is carried over as any other
            return is_on_table and adopts_index(sql) and not self.gives_up_name(sql, "key")
        if makes_on_columns(sql):
            return is_on_table
        words = names_of(sql)
        names_it = swap.column.lower() in words and bool(words & set(map(last_part, tables)))
        return names_it and not is_type_change(sql) and all(each.kind == "grant" for each in waiting.gives_up)

    def stand_ins(self, sql: str = "") -> list[StandIn]:
        """All, or those of the types that `sql` names, each after those that it is made of."""
        found, words = list[StandIn](), names_of(sql)
        for each in reversed(self.waiting):
            one = each.stand_in
            if one and (not sql or words & each.makes or any(one.made in later.made_of for later in found)):
                found.insert(0, one)
        return found

    def indexes_before_swap(self) -> list[str]:
        """Those that go before a column's swap, by their plain names, for they may name the type that goes."""
        gone = {name for each in self.waiting for name in _indexes_of(each)}
        return sorted(gone if self._drops_indexes_first() else gone & self.unfit)

    def keys_dropped(self, table: str) -> list[str]:
        """The keys of `table` that go here, by their plain names; not those that only get another name."""
        keys = (each for each in self._given_up() if each.kind == "key" and not each.stays)
        return sorted({last_part(each.name) for each in keys if same_name(each.table, plain(table))})

    def _drops_indexes_first(self) -> bool:
        return self._replaces_type or bool(self.stand_ins())

    def stand_in_for(self, sql: str) -> StandIn | None:
        """For a type that `sql` makes, and whose name another gives up here."""
        made = stand_in(sql, self.stand_ins())
        if made is None or not self.gives_up("type", "", made.name):
            return None
        needed = (each for each in self.waiting if each.stand_in is None and names_of(sql) & each.makes)
        return None if any(needed) else made

    def lets_pass(self, sql: str) -> bool:
        """Whether `sql`, which locks nothing, may come before all that waits.

        A type of a name that was free; an index that gets one, for nobody names indexes but the revision itself.
        """
        if renames_index(sql):
            names = names_of(sql)
            return not (names & {last_part(each.name) for each in self._given_up()} or self.is_needed_for(sql))
        new = stand_in(sql)
        free = new is not None and not self.gives_up("type", "", new.name) and not self.is_needed_for(sql)
        return not self or free

    def use(self, used: StandIn) -> bool:
        """It is made beforehand; False where it is already."""
        for at, each in enumerate(self.waiting):
            if each.stand_in == used and each.instead is not None and each.sql != used.rename:
                self.waiting[at] = replace(each, sql=used.rename, run=each.instead)
                return True
        return False

    def gaps(self) -> list[GivenUp]:
        """What is given up here, and not made again."""
        return list(gaps(self.waiting))

    def needs_postponed(self, sql: str) -> bool:
        """Whether what is still to be done comes before `sql`, which names it: an index, or a column that waits for its
        default. Where that is set, it comes before a gap too, over which it could not be done.
        """
        if sets_default(sql):
            return False
        defaults = {last_part(each.name) for each in self._given_up() if each.kind == "default"}
        return any(
            each.name in names_of(sql) or (each.name in defaults and any(given_up(sql)) and not self.gaps())
            for each in self.postponed
        )

    def take(self) -> list[Waiting]:
        """All that waits; nothing does afterwards."""
        taken, self.waiting = self.waiting, []
        self._replaces_type = False
        self.helpers.clear()
        self.unfit.clear()
        return taken

    def gives_up(self, kind: str, table: str, name: str) -> bool:
        """Whether nothing of this name is left here: names as SQL writes them."""
        return any(self._found(kind, table, name))

    def drops(self, kind: str, table: str, name: str) -> bool:
        """Whether this goes here, and does not only get another name."""
        return any(not each.stays for each in self._found(kind, table, name))

    def drops_table(self, table: str) -> bool:
        """Whether this one goes here, with all that it has."""
        return any(not besides_dropped(each.sql, [table]) for each in self.waiting)

    def _found(self, kind: str, table: str, name: str) -> Iterator[GivenUp]:
        return (
            each
            for each in self._given_up()
            if each.kind in (kind, "key" if kind == "constraint" else kind)
            and (each.name == plain(name) if each.table else same_name(each.name, plain(name)))
            and (not each.table or same_name(each.table, plain(table)))
        )

    def makes(self, name: str) -> bool:
        """Whether something gets this name here, which is as the catalogue has it."""
        return any(plain(name) in each.makes for each in self.waiting)

    def has_built(self, name: str) -> bool:
        """Whether a step names this, which is without quotes: it was built beforehand, and gets its own name here."""
        return any(each.step is not None and plain(name) in names_of(each.sql) for each in self.waiting)

    def puts_in_place(self, each: GivenUp) -> bool:
        """Whether this constraint is one that was made beside another, and takes its place only here.

        A third one would be made under the same name as this one was.
        """
        is_constraint = each.kind in ("constraint", "key") and not each.stays
        return is_constraint and any(
            one.step is not None and each.name in one.makes and each.table in map(plain, _written_tables(one.sql))
            for one in self.waiting
        )

    def gives_up_name(self, sql: str, *kinds: str) -> bool:
        """Whether `sql` makes something of a name that one of such a kind gives up here."""
        names = set(made(sql))
        return any(each.kind in kinds and last_part(each.name) in names for each in self._given_up())

    def lost_by(self, table: str) -> Iterator[str]:
        """The actions by which a copy of `table` loses the defaults, checks and columns that the table loses."""
        for each in self._given_up():
            if same_name(each.table, plain(table)):
                if each.kind == "default":  # of a copy, which may have the one or the other
                    yield f"ALTER COLUMN {each.written} DROP IDENTITY IF EXISTS"
                    yield f"ALTER COLUMN {each.written} DROP DEFAULT"
                elif each.kind == "constraint" and not each.stays:
                    yield f"DROP CONSTRAINT IF EXISTS {each.written}"
                elif each.kind == "column":  # one that is generated may read the column at hand
                    yield f"DROP COLUMN IF EXISTS {each.written} CASCADE"

    def numbers_set(self, sql: str) -> tuple[GivenUp, ...] | None:
        """The columns whose numbers go on as `sql` says, which is to be done with what waits; None where it is not."""
        names = sequences_set(sql)
        found = tuple(each for each in self._given_up() if each.kind == "numbers" and says_number(sql, each))
        made_here = any(names & each.makes for each in self.waiting)
        return found if found or made_here else None

    def names_given_up(self, kind: str) -> list[str]:
        """All of a kind, without a schema."""
        return sorted({last_part(each.name) for each in self._given_up() if each.kind == kind})

    def has_type(self, name: str) -> bool | None:
        """Whether there is a type of this plain name afterwards; None where nothing here tells."""
        if any(last_part(name) in each.makes for each in self.waiting):
            return True
        return False if self.gives_up("type", "", name) else None

    def swaps(self, *tables: str) -> bool:
        """Whether a column of one of these is exchanged here."""
        return any(
            same_name(plain(each.swaps), plain(table)) for each in self.waiting if each.swaps for table in tables
        )

    def _exchanges_all_of(self, *tables: str) -> bool:
        """Whether one of these is exchanged as a whole."""
        whole = [plain(each.swaps) for each in self.waiting if each.swaps and each.step and not each.step.column]
        return any(same_name(name, plain(table)) for name in whole for table in tables)

    def exchanged(self, table: str) -> list[str]:
        """The columns of `table` that are exchanged here, without quotes, in their order."""
        swaps = [each.step for each in self.waiting if each.step is not None and each.step.column]
        return [step.column for step in swaps if same_name(plain(step.swaps), plain(table))]

    def changes_keys(self, *tables: str) -> bool:
        """Whether a key of one of these goes or comes here, or a column is exchanged."""
        keys = [each for each in self._given_up() if each.kind == "key"]
        gone = any(same_name(each.table, plain(table)) for each in keys for table in tables)
        return gone or self.swaps(*tables)

    def is_in_the_way(self, sql: str) -> bool:
        """Whether an operation cannot overtake what waits, nor join it."""
        tables = [lock.name for lock in strong_locks(sql)]
        if self.gives_up_name(sql, "column", "table") or (makes_index(sql) and self.gives_up_name(sql, "key")):
            return True
        if self._changes_partitions(*tables):
            return True
        if sets_not_null(sql) and any(self.gives_up("not null", each, altered_column(sql)) for each in tables):
            return True  # as long as that waits, the column is NOT NULL, and there would be nothing to do
        if not is_check_or_foreign_key(sql) and self._exchanges_all_of(*tables):
            return True  # what is done to the old one is lost
        if self._indexes_like(sql):  # a statement by hand does not replace it: the old one goes first
            return True
        if is_check_or_foreign_key(sql) and self._adds_key(*tables):
            return True
        if is_check_or_foreign_key(sql) and self.changes_keys(*tables):
            return False
        if is_type_change(sql):
            column = plain(altered_column(sql))
            if any(column in map(plain, self.exchanged(each)) for each in tables) or self._builds_key(*tables):
                return True
        # A swap that finds its column NOT NULL meanwhile is made again, with that.
        overtakes = is_type_change(sql) or is_key(sql) or adds_column(sql) or sets_not_null(sql)
        return bool(self) and (self.is_needed_for(sql) or (self.swaps(*tables) and not overtakes))

    def _adds_key(self, *tables: str) -> bool:
        """Whether one of these gets a key that has no online way: a foreign key may refer to it."""
        keys = [each.sql for each in self.waiting if each.step is None and is_key(each.sql)]
        named = {last_part(plain(lock.name)) for sql in keys for lock in strong_locks(sql)}
        return any(last_part(plain(table)) in named for table in tables)

    def _changes_partitions(self, *tables: str) -> bool:
        """Whether another set of partitions or children is to be changed along with one of the tables."""
        named = {last_part(plain(table)) for table in tables}
        return any(_PARTITIONS.search(each.sql) and named & names_of(each.sql) for each in self.waiting)

    def hides_loss(self, sql: str) -> bool:
        """Whether what `sql` takes away can be counted only when what waits is done."""
        words = {token.keyword for token in tokens(sql)}
        if "DROP" not in words:
            return False
        rows_go = any(each.kind in ("table", "column") for each in given_up(sql))
        return "CASCADE" in words or (rows_go and self.is_needed_for(sql))

    def is_named_afterwards(self, sql: str, gone: Sequence[GivenUp]) -> bool:
        """Whether what comes after the cut-over names something that has another name, or none, after `sql`.

        Were the two in one cut-over, a VALIDATE of a new foreign key would find no table of the name it knows.
        """
        lost = {last_part(each.name) for each in gone if each.kind == "table" or each.stays}
        if changes_schema(sql) or _drops_column(sql, gone):  # with the column goes its foreign key
            lost |= _tables_of(sql)
        steps = (step for _, step, _ in self.after if isinstance(step, Step))
        return bool(lost) and any(lost & names_of(step.sql) for step in steps)

    def is_needed_for(self, sql: str) -> bool:
        """Whether `sql` names something that is only made here."""
        words, is_type = names_of(sql), is_type_change(sql)
        if "validate" in words:  # PostgreSQL may have made up the name
            words |= _UNNAMED if any(words & _tables_of(each.sql) for each in self.waiting) else set()
        makers = (each for each in self.waiting if not (is_type and (each.stand_in or _adds_elsewhere(each, sql))))
        return any(words & each.makes for each in makers)

    def take_index_like(self, sql: str) -> bool:
        """Whether `sql` makes an index of the name of one that waits to be dropped: then that is to be replaced.

        It is not where it must go before the column's swap, or before what it names goes too.
        Nor where a column that it names goes and comes back: the old index goes with the old column.
        """
        kinds, names = ("function", "type", "column"), names_of(sql)
        named = any(each.kind in kinds and last_part(each.name) in names for each in self._given_up())
        found = [each for each in self._indexes_like(sql) if not (named or self.unfit & _indexes_of(each))]
        self.waiting = [each for each in self.waiting if each not in found]
        return bool(found)

    def _indexes_like(self, sql: str) -> list[Waiting]:
        makes = any(reader.accept_any("CREATE INDEX", "CREATE UNIQUE INDEX") for reader in statements(sql))
        if not makes or self._drops_indexes_first():
            return []
        names = set(made(sql))
        return [each for each in self.waiting if each.index and last_part(plain(each.index.index)) in names]

    def _builds_key(self, *tables: str) -> bool:
        """Whether a key of one of these, which also exchanges a column, waits for its index to become its own."""
        keys = [each.sql for each in self.waiting if each.step is not None and "USING INDEX" in each.sql]
        locked = [plain(lock.name) for sql in keys for lock in strong_locks(sql)]
        return any(self.swaps(table) and same_name(plain(table), name) for table in tables for name in locked)

    def _given_up(self) -> Iterator[GivenUp]:
        return (each for waiting in self.waiting for each in waiting.gives_up)


def _comes_for_key(waiting: Waiting, gone: Sequence[Waiting], parts: Set[str]) -> bool:
    """Whether it is the key or index in the place of one that goes there, or a foreign key to that table.

    The key of a table with `parts` has those of these in it, which have names of their own.
    """
    keys = [each for one in gone for each in one.gives_up if each.kind == "key"]
    if waiting.step is None or not keys:
        return False
    if is_key(waiting.sql):
        return any(last_part(each.name) in waiting.makes for each in keys) or bool(_tables_of(waiting.sql) & parts)
    if renames_index(waiting.sql) or "REPLICA IDENTITY" in waiting.sql:
        return any(last_part(each.name) in names_of(waiting.sql) for each in keys)
    return is_check_or_foreign_key(waiting.sql) and any(last_part(each.table) in names_of(waiting.sql) for each in keys)


def _drops_column(sql: str, gone: Sequence[GivenUp]) -> bool:
    return any(each.kind == "column" for each in gone) and "RENAME" not in sql.upper()


def _tables_of(sql: str) -> set[str]:
    return {last_part(name) for name in _written_tables(sql)}


def _written_tables(sql: str) -> Iterator[str]:
    return (plain(lock.name) for lock in strong_locks(sql))


def _adds_elsewhere(waiting: Waiting, type_change: str) -> bool:
    """Whether it only adds a column, to another table: USING reads none of those."""
    adds = re.match(r"\s*ALTER\s+TABLE\s+\S+\s+ADD\s+COLUMN\s[^,]*$", waiting.sql, re.IGNORECASE)
    return bool(adds) and not _tables_of(waiting.sql) & _tables_of(type_change)


def _indexes_of(waiting: Waiting) -> set[str]:
    """Those that it drops, by their plain names."""
    return {last_part(each.name) for each in waiting.gives_up if each.kind == "index"}
