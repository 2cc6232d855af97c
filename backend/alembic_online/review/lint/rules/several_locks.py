"""several-locks: one transaction that locks one table after the other."""

from collections import defaultdict
from collections.abc import Iterator

from alembic_online.postgres.locks import LockMode
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial is None:
        return
    existing = revision.trial.tables.keys()
    transactions: defaultdict[int, list[set[str]]] = defaultdict(list)
    lines: dict[int, int] = {}
    for traced in revision.trial.upgrade:
        strong = {name for name, mode in traced.locks.items() if mode >= LockMode.SHARE_ROW_EXCLUSIVE}
        transactions[traced.transaction].append(strong & existing)
        if strong & existing:
            lines[traced.transaction] = traced.line or 1  # of the last one: until then the first table is locked
    for number, locked in transactions.items():
        tables = set().union(*locked)
        if len(tables) > 1 and tables not in locked:
            said = f"One transaction locks {', '.join(sorted(tables))}, one after the other."
            yield Found(said, lines[number], f"a revision for each: {', '.join(sorted(tables))}")


RULE = Rule(
    "several-locks",
    "Clients of the first table wait until the last is locked; two that lock in another order are a deadlock.",
    "A lock is held until the transaction ends.",
    "a revision for each table",
    _check,
)
