"""blocking: a table is scanned or rewritten while a lock keeps its users out."""

from collections.abc import Iterator

from alembic_online.postgres.locks import LockMode
from alembic_online.postgres.locks.reader import statements
from alembic_online.review.lint.rule import Found, Revision, Rule
from alembic_online.review.plan.trace import Traced


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial is None:
        return
    tables = revision.trial.tables.keys() - revision.direct
    there_after = {revision.trial.name_of(entry) for entry in revision.trial.after.catalogue}
    for traced in revision.trial.upgrade:
        yield from _of_statement(traced, tables)
    for traced in revision.trial.downgrade:
        yield from _of_statement(traced, tables & there_after)


def _of_statement(traced: Traced, tables: set[str]) -> Iterator[Found]:
    if any(reader.accept("TRUNCATE") for reader in statements(traced.sql)):
        return  # it makes a new file, and an empty one is no work
    for work, worked in (("rewrites", traced.rewrites), ("scans", traced.scans)):
        for table in worked:
            lock = traced.locks.get(table)
            if table in tables and lock is not None and lock >= LockMode.SHARE:
                sql = " ".join(traced.sql.split())[:100]
                yield Found(
                    f"It {work} {table} under {lock}, which blocks {lock.blocks} as long as that takes: {sql}",
                    traced.line or 1,
                    _remedy(table.replace('"', "")),
                )


def _remedy(table: str) -> str:
    stock = "op.create_index, op.create_foreign_key, op.alter_column, ..."
    return f'{stock}: one for each change, and it is carried out online; or direct = {{"{table}": "why it may"}}'


RULE = Rule(
    "blocking",
    "The service stands still for minutes or hours, as long as a large table is read or rewritten.",
    "The lock was read from PostgreSQL as the statement ran; it may be one that an earlier statement took.",
    _remedy("books"),
    _check,
)
