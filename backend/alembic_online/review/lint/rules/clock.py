"""clock: what is written depends on when the revision runs."""

from collections.abc import Iterator

from alembic_online.review.lint.nondeterminism import passing_calls, python_calls, sql_calls
from alembic_online.review.lint.rule import Found, Revision, Rule

_PYTHON = (
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    "datetime.date.today",
    *(f"time.{name}" for name in ("time", "time_ns", "localtime", "gmtime", "strftime")),
)
_SQL = frozenset(
    [
        "NOW",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "CLOCK_TIMESTAMP",
        "STATEMENT_TIMESTAMP",
        "TRANSACTION_TIMESTAMP",
        "TIMEOFDAY",
    ]
)


def _check(revision: Revision) -> Iterator[Found]:
    yield from python_calls(revision.source, _PYTHON)
    yield from sql_calls(revision.source, _SQL)
    yield from passing_calls(revision.source, _SQL)


RULE = Rule(
    "clock",
    "Two databases at one revision hold different values.",
    "Each ran it at another moment. A server default of now() is not meant: it is the same in all.",
    'a constant: "2026-01-31T00:00:00Z"; or leave it NULL',
    _check,
)
