"""What clients would miss between two commits: given up, there until now, and made again below in the revision.

A revision that would be committed in such a state is refused. What only rules rows (a constraint, a unique index) is no
gap: whoever ran before runs on without it, and rows that break it are found when it comes back.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from traceback import FrameSummary
from typing import NamedTuple

from alembic.script import Script

from alembic_online.errors import RevisionFailed
from alembic_online.postgres.locks import strong_locks
from alembic_online.postgres.locks.reader import statements
from alembic_online.recipes.cutover.later_statements import Below
from alembic_online.recipes.cutover.pending_statements import Waiting, gaps
from alembic_online.recipes.cutover.statement_forms import locks_tables, names_of
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import GivenUp, is_definition, last_part, made
from alembic_online.revisions.source_line import line_in

_RELATION = "SELECT 1 FROM pg_class WHERE lower(relname) = :name"
_PART = "SELECT 1 FROM {} JOIN pg_class c ON c.oid = {} WHERE lower(c.relname) = :table AND {}"
# Those of partitions and children change with the column that they inherit.
_OF_TYPE = """
    SELECT lower(n.nspname) || '.' || lower(c.relname) AS qualified, lower(c.relname) AS table,
        pg_table_is_visible(c.oid) AS visible, lower(a.attname) AS name
    FROM pg_type t JOIN pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND a.attinhcount = 0 AND NOT a.attisdropped
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE t.oid = to_regtype(:name)
"""
_THERE = {
    "view": _RELATION,
    "table": _RELATION,
    "sequence": _RELATION,
    "function": "SELECT 1 FROM pg_proc WHERE lower(proname) = :name",
    "column": _PART.format("pg_attribute", "attrelid", "lower(attname) = :name AND NOT attisdropped"),
    "default": _PART.format("pg_attribute", "attrelid", "lower(attname) = :name AND (atthasdef OR attidentity <> '')"),
    "numbers": _PART.format("pg_attribute", "attrelid", "lower(attname) = :name AND (atthasdef OR attidentity <> '')"),
    "trigger": _PART.format("pg_trigger", "tgrelid", "lower(tgname) = :name"),
    "policy": _PART.format("pg_policy", "polrelid", "lower(polname) = :name"),
    "rule": _PART.format("pg_rewrite", "ev_class", "lower(rulename) = :name"),
    "switch": """
        SELECT 1 FROM pg_class c WHERE lower(c.relname) = :table AND CASE :name
        WHEN 'row level security' THEN relrowsecurity WHEN 'force row level security' THEN relforcerowsecurity
        ELSE EXISTS (
            SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgenabled <> 'D'
            AND (:name IN ('trigger all', 'trigger user') OR :name = 'trigger ' || lower(tgname))) END
    """,
    "grant": """
        SELECT 1 FROM pg_class c, aclexplode(c.relacl) a WHERE lower(c.relname) = :table
        AND CASE a.grantee WHEN 0 THEN 'public' ELSE lower(pg_get_userbyid(a.grantee)) END = :name
    """,
}


class _Column(NamedTuple):
    """One of a table, plain."""

    tables: frozenset[str]
    """The names of the table: with its schema, and without where the search path leads to it."""
    name: str


class Gaps:
    """Of one direction of one revision."""

    def __init__(self, script: Script, below: Below, database: Database, is_noted: Callable[[str, str], bool]) -> None:
        """`below` is the text of that direction.

        `is_noted` says whether an earlier try has committed a statement, of an operation.
        """
        self._script, self._database, self._is_noted = script, database, is_noted
        self._below = below
        self._there: dict[GivenUp, bool] = {}
        """As it was before this revision."""
        self._columns: dict[str, list[_Column]] = {}
        """The same, by the type as SQL writes it."""

    def found(self, waiting: Iterable[Waiting]) -> Iterator[tuple[GivenUp, Waiting, int]]:
        """What is given up by these, and the line that makes it again."""
        listed = list(waiting)
        for each in gaps(listed):
            by = next(one for one in listed if each in one.gives_up)
            here = self._line or by.line
            if not self._is_there(each) or here is None or self._is_noted(by.sql, by.operation):
                continue
            again = self._below.brings_back(each, here.lineno or 0, here.end_lineno or here.lineno or 0)
            if again and not (by.undoable and self._looks_there(each)):
                yield each, by, again

    def note(self, waiting: Sequence[Waiting]) -> None:
        """These are about to be carried out, and not yet committed: what they give up is there until now."""
        for each in gaps(waiting):
            self._is_there(each)
        for each in (each for one in waiting for each in one.gives_up if each.kind == "type" and each.stays):
            self._columns_of(each.written)

    def refuse(self, waiting: Sequence[Waiting], sql: str) -> None:
        """Raise `RevisionFailed` where a commit of these, before `sql`, would leave one."""
        self._refuse_locked(waiting, sql)
        self._refuse_empty(waiting, sql)
        self._refuse_type_between(waiting)
        self._refuse_type_of_columns(waiting)
        self._refuse_column_in_steps(waiting, sql)
        for each, by, again in self.found(waiting):
            here = self._line.lineno if self._line else 0
            if each.kind == "numbers":
                raise RevisionFailed(
                    f"{self._script.revision} numbers {each.table}.{each.name} by another sequence in line"
                    f" {by.line.lineno if by.line else 0}, and says in line {again} where that goes on: line {here}"
                    " would have the first committed alone, and clients would get numbers that are taken.",
                    'Next to the first, write op.execute("SELECT setval(pg_get_serial_sequence('
                    f"'{each.table}', '{each.name}'), (SELECT max({each.name}) FROM {each.table}))\")."
                    f"{_direct(each)}",
                )
            gone = f"in line {by.line.lineno}" if by.line else "above"
            of = f" of {each.table}" if each.table else ""
            does = f"gives up the {each.kind} {each.name}{of} {gone} and makes it again"
            if each.kind == "switch":
                does = f"switches {each.name}{of} off {gone} and on again"
            raise RevisionFailed(
                f"{self._script.revision} {does} in line"
                f" {again}: line {here}, between them, would have it committed, and clients would miss it.",
                f"Put line {here} above the one or below the other, or into a revision of its own.{_alone(each)}"
                f"{_direct(each)}",
            )

    def _refuse_locked(self, waiting: Sequence[Waiting], sql: str) -> None:
        """A LOCK TABLE of the revision's own would be held for as long as this works on rows, or end before it."""
        lock = next((each for each in waiting if each.step is None and locks_tables(each.sql)), None)
        if lock is not None and sql and not is_definition(sql):
            table = ", ".join(each.name for each in strong_locks(lock.sql))
            raise RevisionFailed(
                f"{self._script.revision} locks {table} in line {lock.line.lineno if lock.line else 0}, and clients"
                f" would wait for as long as line {self._line.lineno if self._line else 0} works:"
                f" {' '.join(sql.split())[:100]}",
                "Take the LOCK TABLE out: each statement takes the lock that it needs, for as long as it runs."
                f'\nOr let clients wait: direct = {{"{table}": "why nobody minds"}}',
            )

    def _refuse_empty(self, waiting: Sequence[Waiting], sql: str) -> None:
        """A new table has the name of one with rows, which are put into it only now."""
        into = {last_part(plain(reader.name())) for reader in statements(sql) if reader.accept("INSERT INTO")}
        for each in (each for one in waiting for each in one.gives_up if each.kind == "table"):
            name = last_part(each.name)
            made = any(name in one.makes and "CREATE" in one.sql.upper() for one in waiting)
            if name in into and made and self._is_there(each):
                raise RevisionFailed(
                    f"{self._script.revision} gives the name {name} to a new table, which is filled in line"
                    f" {self._line.lineno if self._line else 0} only: clients would find it empty for as long.",
                    "Make and fill the new table under a name of its own, then let the two change names."
                    f"{_direct(each._replace(table=name))}",
                )

    def _refuse_column_in_steps(self, waiting: Sequence[Waiting], sql: str) -> None:
        """A column comes in the place of another one, but is filled first; one that is computed has ways of its own."""
        names = set() if "GENERATED" in sql.upper() else set(made(sql))
        for each, by in ((each, one) for one in waiting for each in one.gives_up if each.kind == "column"):
            name = last_part(each.name)
            above = by.line.lineno or 0 if by.line else 0
            if name not in names or self._is_noted(by.sql, by.operation) or self._below.made_above(each, above):
                continue
            if self._is_there(each):
                raise RevisionFailed(
                    f"{self._script.revision} gives up the column {name} of {each.table} in line {above}, and line"
                    f" {self._line.lineno if self._line else 0} makes it again in steps, each committed: clients would"
                    " miss it meanwhile.",
                    "Add the new column under a name of its own, drop the old one, then rename the new one."
                    f"{_direct(each)}",
                )

    def _refuse_type_between(self, waiting: Sequence[Waiting]) -> None:
        """A column has another enum, and its own one's name comes back only below: who casts to that would fail."""
        for one in (each for each in waiting if each.step and each.step.retypes and each.step.column):
            assert one.step is not None
            name = last_part(plain(one.step.retypes))
            renamed = any(name in each.makes and "RENAME" in each.sql.upper() for each in waiting)
            line = one.line
            if renamed or line is None or self._is_noted(one.sql, one.operation):
                continue
            end = line.end_lineno or line.lineno or 0
            if again := self._below.brings_back(GivenUp("type", "", name), line.lineno or 0, end):
                raise RevisionFailed(
                    f"{self._script.revision} gives {one.step.swaps}.{one.step.column} another type in line"
                    f" {line.lineno}, and only line {again} makes {name} again: line"
                    f" {self._line.lineno if self._line else 0} would have the first committed, and clients that know"
                    f" {name} would fail.",
                    f"Change the column once: ALTER TYPE {name} RENAME TO {name}_old, CREATE TYPE {name} ..., ALTER"
                    f" TABLE ... TYPE {name} USING ..., DROP TYPE {name}_old.",
                )

    def _refuse_type_of_columns(self, waiting: Sequence[Waiting]) -> None:
        """A type's name goes to another one, and columns that do not get that here are of the old: casts to it fail."""
        for each, by in ((each, one) for one in waiting for each in one.gives_up if each.kind == "type"):
            line = by.line
            if not each.stays or line is None or self._is_noted(by.sql, by.operation):
                continue
            name = last_part(each.name)
            here = any(name in one.makes for one in waiting if one is not by)
            again = self._below.brings_back(each, line.lineno or 0, line.end_lineno or line.lineno or 0)
            columns = self._columns_of(each.written) if here or again else []
            if all(any(_changes(one, column) for one in waiting) for column in columns):
                continue
            raise RevisionFailed(
                f"{self._script.revision} gives the name of the type {name} to another one, from line {line.lineno} on:"
                f" line {self._line.lineno if self._line else 0} would have that committed before all of its columns"
                f" are of the new one, and clients that know {name} would fail.",
                f"Between line {line.lineno} and the last of these columns, leave only lines that belong to them: put"
                " others, such as those that write rows, above or below."
                if not any(_adds_column_of(name, one) for one in waiting)
                else f"Leave {name} its name at first: CREATE TYPE {name}_new ..., fill a column of that type, drop the"
                f" old column and DROP TYPE {name}, then rename the new column and the new type.",
            )

    def _columns_of(self, kind: str) -> list[_Column]:
        """Of tables, as it was when that was asked first; also of arrays of it."""
        if kind not in self._columns:
            rows = self._database.ask(_OF_TYPE, name=kind)
            self._columns[kind] = [
                _Column(frozenset({row.qualified, row.table} if row.visible else {row.qualified}), row.name)
                for row in rows
            ]
        return self._columns[kind]

    def default_follows(self, table: str, column: str, waiting: Iterable[Waiting]) -> bool:
        """Whether the column has no default, and gets one by what is `waiting`, or by a line below.

        Not an identity: PostgreSQL wants the column NOT NULL before it.
        """
        line, default = self._line, GivenUp("default", plain(table), plain(column))
        if self._looks_there(default):
            return False
        if any(
            "SET DEFAULT" in each.sql.upper() and default[:3] in [own[:3] for own in each.gives_up] for each in waiting
        ):
            return True
        end = line.end_lineno or line.lineno or 0 if line else 0
        return line is not None and self._below.sets_default_below(default, line.lineno or 0, end)

    def identity_follows(self, table: str, column: str) -> str:
        """The text of a line below that makes the column an identity, where it has no default of its own; else ""."""
        line = self._line
        found = self._below.identity_below(table, column, line.lineno or 0) if line else ""
        return "" if found and self._looks_there(GivenUp("default", plain(table), plain(column))) else found

    def says_number_below(self, table: str, column: str) -> bool:
        """Whether a line below says where the column's sequence goes on."""
        line, numbers = self._line, GivenUp("numbers", plain(table), plain(column))
        return line is not None and bool(self._below.brings_back(numbers, line.lineno or 0, line.end_lineno or 0))

    def computed_below(self, column: GivenUp) -> bool:
        """Whether a line below makes the column again as a stored generated one."""
        line = self._line
        end = line.end_lineno or line.lineno or 0 if line else 0
        return line is not None and self._below.computes_below(column, line.lineno or 0, end)

    def adds_above(self, column: GivenUp) -> bool:
        """Whether a line above adds the column to its table."""
        return self._line is not None and self._below.adds_above(column, self._line.lineno or 0)

    def reads_here(self) -> bool:
        """Whether the line that runs now does something with what its statement returns."""
        return self._line is None or self._below.reads(self._line.lineno or 0)

    def _is_there(self, each: GivenUp) -> bool:
        if each not in self._there:
            self._there[each] = self._looks_there(each)
        return self._there[each]

    def _looks_there(self, each: GivenUp) -> bool:
        query = _THERE.get(each.kind, "")
        given = {"name": last_part(each.name), "table": last_part(each.table)}
        used = {name: value for name, value in given.items() if f":{name}" in query}
        return bool(query) and bool(self._database.ask(query, **used))

    @property
    def _line(self) -> FrameSummary | None:
        return line_in(str(Path(self._script.path).parent))


def _changes(waiting: Waiting, column: _Column) -> bool:
    """Whether the column gets another type by it, or goes."""
    words = waiting.sql.upper()
    if waiting.step and waiting.swaps:
        return plain(waiting.swaps) in column.tables and waiting.step.column.lower() == column.name
    if column.tables.isdisjoint(plain(lock.name) for lock in strong_locks(waiting.sql)):
        return False
    gets_type = words.lstrip().startswith("ALTER TABLE") and ("TYPE" in words or "DROP" in words)
    return (gets_type and column.name in names_of(waiting.sql)) or words.lstrip().startswith("DROP TABLE")


def _adds_column_of(kind: str, waiting: Waiting) -> bool:
    """Whether it adds a column of this type to a table."""
    words = waiting.sql.upper().split()
    return words[:2] == ["ALTER", "TABLE"] and "ADD" in words and kind in names_of(waiting.sql)


def _alone(each: GivenUp) -> str:
    """How triggers are switched off for nobody else."""
    if each.kind != "switch" or not each.name.startswith("trigger"):
        return ""
    return '\nOr switch triggers off for this session alone: op.execute("SET LOCAL session_replication_role = replica")'


def _direct(each: GivenUp) -> str:
    return each.table and f'\nOr let all wait in one transaction: direct = {{"{each.table}": "why nobody minds"}}'
