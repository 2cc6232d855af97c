"""What an audit looks for in a revision that plain Alembic has run: what holds for any project of lint's, and our own.

House rules of lint (messages, one change a revision, imports) are nobody's business here.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from alembic_online.formats.report import Level
from alembic_online.postgres.catalogue import Kind
from alembic_online.postgres.locks import LockMode
from alembic_online.postgres.locks.reader import statements
from alembic_online.releases.breaks import How, breaks
from alembic_online.review.lint.allowances import read_allowances
from alembic_online.review.lint.removed import removed, renamed
from alembic_online.review.lint.rule import Found, Revision, Rule
from alembic_online.review.lint.rules import data_loss, downgrade, every_row, runs, undo
from alembic_online.review.plan.report import REWRITE_RATE, SCAN_RATE, in_words
from alembic_online.review.plan.trace import Traced

_INSTANT = 0.1  # seconds; the time for which an online operation may hold a strong lock (Policy.lock_timeout)


def _scans(revision: Revision) -> Iterator[Found]:
    yield from _stands_still(revision, "scans", lambda each: each.scans, SCAN_RATE)


def _rewrites(revision: Revision) -> Iterator[Found]:
    yield from _stands_still(revision, "rewrites", lambda each: each.rewrites, REWRITE_RATE)


def _stands_still(
    revision: Revision, work: str, tables_of: Callable[[Traced], tuple[str, ...]], rate: float
) -> Iterator[Found]:
    """Each table that was there before and that a statement works through under a lock that stops writes.

    At `rate` bytes a second; nobody notices what takes but an instant.
    """
    trial = revision.trial
    if trial is None:
        return
    known = trial.tables.keys() - revision.direct
    for traced in trial.upgrade:
        if any(reader.accept("TRUNCATE") for reader in statements(traced.sql)) or _fails_on_rows(traced.sql):
            continue  # it makes a new file, and an empty one is no work
        locked = {table: mode for table, mode in traced.locks.items() if table in known and mode >= LockMode.SHARE}
        worked = [table for table in tables_of(traced) if table in locked]
        others = ", ".join(table for table in locked if table not in (*traced.scans, *traced.rewrites))
        for table in worked:
            if (seconds := revision.sizes.bytes_of(table) / rate) < _INSTANT:
                continue
            lock, sql = locked[table], " ".join(traced.sql.split())
            yield Found(
                f"It {work} {table} under {lock}{f' ({others} locked too)' if others else ''}: {lock.blocks} wait for"
                f" about {in_words(seconds)}. {sql if len(sql) <= 120 else f'{sql[:119]}…'}",
                traced.line or 1,
            )


def _fails_on_rows(sql: str) -> bool:
    """A new column that must hold a value and gets none: the first row ends it, and `breaks-code` says so."""
    words = sql.upper()
    fills_itself = any(each in words for each in ("DEFAULT", "GENERATED", "SERIAL"))
    return " ADD COLUMN " in words and "NOT NULL" in words and not fills_itself


def _breaks(revision: Revision) -> Iterator[Found]:
    if (trial := revision.trial) is None:
        return
    for identity in removed(trial):
        what = (
            f"The column {identity.table}.{identity.name}"
            if identity.kind is Kind.COLUMN
            else f"The table {identity.name}"
        )
        goes = "gets another name" if renamed(trial, identity.name) else "goes"
        yield Found(f"{what} {goes}: code that knows it fails.", trial.line_of(identity.table, identity.name))
    for each in breaks(trial.before.catalogue, trial.after.catalogue):
        if each.identity.kind is Kind.COLUMN and each.how is How.REFUSED:
            line = trial.line_of(each.identity.table, each.identity.name)
            yield Found(f"{each.identity.table}.{each.identity.name} {each.what}", line)


STALL = Rule(
    "stall",
    "The service stands still as long as a large table is read.",
    "The lock was read from PostgreSQL while the statement ran; it may be one that an earlier line took.",
    "the same line by online operations: it is carried out in steps that stop nobody",
    _scans,
)
REWRITE = Rule(
    "rewrite",
    "The service stands still as long as a large table is rewritten.",
    "The table has another file after the statement; the lock was read from PostgreSQL while it ran.",
    "the same line by online operations: the rows are copied beside the table, and it changes places in an instant",
    _rewrites,
)
BREAKS_CODE = Rule(
    "breaks-code",
    "The code that runs while this is deployed fails.",
    "Old code and new schema live side by side for a while; each has to serve the other.",
    "first a release that does without, then the revision; or a default for as long as old code runs",
    _breaks,
)
RUNS = replace(runs.RULE, remedy="what the message says; then run the audit again")
DATA_LOSS = replace(
    data_loss.RULE, remedy="first a release that does without; the rows are kept, under another name or elsewhere"
)
RULES: tuple[tuple[Rule, Level], ...] = (
    (RUNS, Level.ERROR),
    (STALL, Level.ERROR),
    (REWRITE, Level.ERROR),
    (DATA_LOSS, Level.ERROR),
    (every_row.RULE, Level.WARNING),
    (BREAKS_CODE, Level.WARNING),
    (downgrade.RULE, Level.NOTE),
    (undo.RULE, Level.WARNING),
)
"""In the order in which they are shown."""
_ALLOWED_AS = {STALL: "blocking", REWRITE: "blocking", BREAKS_CODE: "still-mapped"}
"""By what lint calls the same: a revision may have said already why it may."""


def broken(revision: Revision) -> Iterator[tuple[Rule, Found]]:
    """What the rules find, less what the revision allows itself. Of the way back one says enough."""
    reasons = {each.rule for each in read_allowances(revision) if each.reason}
    back = False
    for rule, _ in RULES:
        if rule.code in reasons or _ALLOWED_AS.get(rule) in reasons or (rule is undo.RULE and back):
            continue
        for found in dict.fromkeys(rule.check(revision)):
            if rule is downgrade.RULE and revision.trial and revision.trial.failed:
                continue  # why it fails was said
            back |= rule is downgrade.RULE
            yield rule, found
