"""The statements that a release was recorded with, made before and after a revision, on tables with rows.

Rows are made up before the revision, so that it carries them over. The recorded INSERTs are added in the transaction in
which all statements are made, each in a savepoint; it is rolled back. Foreign keys are off there, for what a test
recorded refers to rows of that test. What fails before the revision says nothing of it, nor does what differs between
two tries before it: ids, moments. Where an INSERT fails after it, results are not compared: they lack its row.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from alembic.runtime.migration import RevisionStep
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from alembic_online.alembic_seam import with_ancestors
from alembic_online.postgres.connection.engine import one_connection
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.scratch import Place, scratch_url
from alembic_online.postgres.sql.literals import literal
from alembic_online.postgres.sql.verbatim import run_as_written
from alembic_online.postgres.sqlstate import server_message
from alembic_online.releases.recorded import LeftOut, Statement, Value, Values
from alembic_online.review.plan.chain import in_chain_scratch
from alembic_online.review.plan.rehearsal import consenting, rehearsing
from alembic_online.review.plan.steps import up, upgrade
from alembic_online.review.plan.trace import Trace
from alembic_online.revisions.project import Project
from alembic_online.sample_rows.row_factory import Filler
from alembic_online.sample_rows.tables import Column, Table
from alembic_online.sample_rows.value_candidates import candidates

_FOREIGN_KEYS = text(
    """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
    FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
    """
)
_PARAMETERS = text(
    """
    SELECT format_type(t.oid, NULL), t.typcategory::text,
      ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder)
    FROM pg_prepared_statements p, unnest(p.parameter_types) WITH ORDINALITY AS given (type, place)
    JOIN pg_type t ON t.oid = given.type WHERE p.name = 'recorded' ORDER BY given.place
    """
)
_MOST_ROWS = 1000
_MADE_UP = 190
"""Where made-up values begin: tests like the first numbers, and an address ends with 255."""
_LEFT_OUT = 500
"""Where those begin that stand for values that were left out."""


@dataclass(frozen=True)
class Broken:
    """A statement with which something else comes out after the revision."""

    statement: Statement
    how: str
    """The rest of a sentence that begins with the statement."""

    def __str__(self) -> str:
        shown = self.statement.sql if len(self.statement.sql) <= 200 else f"{self.statement.sql[:200]}..."
        place = f" ({self.statement.place})" if self.statement.place else ""
        return f"{shown}{place} {self.how}"


@dataclass(frozen=True)
class _Outcome:
    """Of one sample of one statement."""

    error: str = ""
    count: int = 0
    columns: Mapping[str, Counter[str]] = field(default_factory=dict)
    """How often each value is in the result, whichever row it is in."""


_Outcomes = dict[tuple[str, int], _Outcome]
"""By statement, and by the number of the sample."""


def replay(project: Project, place: Place, recorded: Mapping[str, Sequence[Statement]]) -> dict[str, list[Broken]]:
    """What each of these revisions breaks of the statements that are made beside it. Raises `UserError`."""
    if not any(recorded.values()):
        return {}

    def scratch(connection: Connection, with_rows: bool) -> dict[str, list[Broken]] | None:
        return _Run(project, recorded, with_rows).walk(connection)

    found = in_chain_scratch(project, place, lambda connection: scratch(connection, True))
    if found is None:  # made-up rows may be refused where no real ones would be
        found = in_chain_scratch(project, place, lambda connection: scratch(connection, False))
    return found or {}


@dataclass
class _Run:
    """In one scratch database."""

    project: Project
    recorded: Mapping[str, Sequence[Statement]]
    with_rows: bool
    filler: Filler = field(default_factory=lambda: Filler(number=_MADE_UP))

    def walk(self, connection: Connection) -> dict[str, list[Broken]] | None:
        """None where a revision cannot run: why is what another rule says."""
        target, found = scratch_url(connection), dict[str, list[Broken]]()
        engine = one_connection(target, prepare=None)
        config = rehearsing(self.project, Trace(target, consenting(self.project.policy), {}))
        try:
            with engine.connect() as beside:
                upgrade(self.project, config, lambda: self._steps(beside, found))
        except UserError:
            return None if self.with_rows else found
        finally:
            engine.dispose()
        return found

    def _steps(self, beside: Connection, found: dict[str, list[Broken]]) -> Iterator[RevisionStep]:
        needed = with_ancestors(self.project.scripts, tuple(self.recorded))
        for script in reversed(list(self.project.scripts.walk_revisions())):
            if script.revision not in needed:
                continue
            if not (statements := self.recorded.get(script.revision, ())):
                yield up(self.project.scripts, script)
                continue
            if self.with_rows:
                self.filler.fill(beside)
                beside.commit()
            before, again = _made(beside, statements), _made(beside, statements)
            yield up(self.project.scripts, script)
            found[script.revision] = list(_differing(statements, before, again, _made(beside, statements)))


def _differing(
    statements: Sequence[Statement], before: _Outcomes, again: _Outcomes, after: _Outcomes
) -> Iterator[Broken]:
    """A finding for each statement at most: the first of its samples that shows one."""
    alike = not any(after[each].error and not before[each].error for each in before if _inserts(each[0]))
    for statement in statements:
        keys = [(statement.sql, number) for number in range(len(statement.samples))]
        said = (_what_differs(before[each], again[each], after[each], alike) for each in keys)
        if how := next(filter(None, said), ""):
            yield Broken(statement, how)


def _what_differs(before: _Outcome, again: _Outcome, after: _Outcome, rows_are_alike: bool) -> str:
    if before.error or again.error:
        return ""
    if after.error:
        return f"fails: {after.error}"
    for name in before.columns:
        if name not in after.columns:
            return f"gives no column {name} any more."
    if not rows_are_alike:
        return ""
    if before.count == again.count != after.count:
        return f"is of {after.count} rows, and was of {before.count}."
    for name, values in before.columns.items():
        if values == again.columns.get(name) != (now := after.columns[name]):
            return f"gives other values in {name}: {_first(now - values)}, and gave {_first(values - now)}."
    return ""


def _first(values: Counter[str]) -> str:
    return min(values, default="none")


def _made(connection: Connection, statements: Sequence[Statement]) -> _Outcomes:
    """Those that insert first, for the others to find their rows."""
    outcomes: _Outcomes = {}
    numbers = count(_LEFT_OUT)
    with connection.begin() as transaction:
        run_as_written(connection, "SET CONSTRAINTS ALL IMMEDIATE")
        for drop in connection.scalars(_FOREIGN_KEYS).all():
            run_as_written(connection, drop)
        for statement in sorted(statements, key=lambda each: not _inserts(each.sql)):
            for number, sample in enumerate(statement.samples):
                outcomes[statement.sql, number] = _make(connection, statement, sample, numbers)
        transaction.rollback()
    return outcomes


def _inserts(sql: str) -> bool:
    return sql[:6].upper() == "INSERT"


def _make(connection: Connection, statement: Statement, sample: Values, numbers: Iterator[int]) -> _Outcome:
    savepoint = connection.begin_nested()
    try:
        run_as_written(connection, f"PREPARE recorded AS {statement.sql}")
        outcome = _execute(connection, sample, numbers)
    except DBAPIError as error:
        savepoint.rollback()
        outcome = _Outcome(server_message(error))
    else:
        if _inserts(statement.sql):
            savepoint.commit()
        else:
            savepoint.rollback()
    run_as_written(connection, "DEALLOCATE ALL")  # what is prepared is no part of a transaction
    return outcome


def _execute(connection: Connection, sample: Values, numbers: Iterator[int]) -> _Outcome:
    types = connection.execute(_PARAMETERS).all()
    given = [_written(value, numbers, *types[place]) for place, value in enumerate(sample[: len(types)])]
    result = run_as_written(connection, f"EXECUTE recorded({', '.join(given)})" if given else "EXECUTE recorded")
    if not result.returns_rows:
        return _Outcome(count=result.rowcount)
    rows, names = result.fetchmany(_MOST_ROWS), list(result.keys())
    result.close()
    return _Outcome("", len(rows), {name: Counter(repr(row[at]) for row in rows) for at, name in enumerate(names)})


def _written(value: Value, numbers: Iterator[int], type_: str, category: str, labels: Sequence[str]) -> str:
    """As SQL has it; a value that was left out is made up by its type."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case LeftOut():
            column = Column("recorded", type_, category, tuple(labels), True, None, "", type_.removesuffix("[]"))
            value = next(iter(candidates(column, Table("recorded", (), ()), next(numbers))), "")
    return literal(value)
