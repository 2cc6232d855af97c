"""several-locks: one transaction that locks one table after the other.

A foreign key that goes or comes belongs to both of its tables, and a type whose name changes hands to all that use it:
there is no revision for each.
"""

from collections import defaultdict
from collections.abc import Iterator

from alembic_online.postgres.locks import LockMode
from alembic_online.recipes.cutover.statement_forms import names_of
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import given_up
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.foreign_keys import foreign_keys
from alembic_online.review.lint.groups import joined
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
        sqls = [traced.sql for traced in revision.trial.upgrade if traced.transaction == number]
        if len(joined(tables, [*locked, *_belong_together(revision.trial, sqls)])) > 1:
            said = f"One transaction locks {', '.join(sorted(tables))}, one after the other."
            yield Found(said, lines[number], f"a revision for each: {', '.join(sorted(tables))}")


def _belong_together(trial: Trial, transaction: list[str]) -> Iterator[set[str]]:
    """Tables that one change of this transaction is about."""
    words = set().union(*map(names_of, transaction))
    for schema in (trial.before, trial.after):
        for key in foreign_keys(schema):
            if plain(key.name) in words:
                yield {trial.name_of(key.table), trial.name_of(key.target)}
    if any(each.kind == "type" for sql in transaction for each in given_up(sql)):
        yield set(trial.tables)


RULE = Rule(
    "several-locks",
    "Clients of the first table wait until the last is locked; two that lock in another order are a deadlock.",
    "A lock is held until the transaction ends.",
    "a revision for each table",
    _check,
)
