"""What a killed try has left under its last name, brought to an end before the revision's first line runs again.

A revision may ask the catalogue before it makes something: `if "ix" not in inspector.get_indexes(...)`. An index that
is INVALID is among the answers, and so is a constraint that is NOT VALID: the line would be passed over, and the half
would stay. So the index is dropped, as its line would do first, and the constraint is validated. Neither stops clients
(SHARE UPDATE EXCLUSIVE, PostgreSQL 16 to 18). Only what the journal says the revision has begun is touched.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, IntegrityError

from alembic_online.postgres.locks.reader import Reader, single
from alembic_online.postgres.sql.verbatim import run_as_written
from alembic_online.recipes.names import plain, quoted
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.committed_steps import units
from alembic_online.runner.journal import begun, ended
from alembic_online.runner.made_objects import Named
from alembic_online.runner.statement import Statement
from alembic_online.runner.transactions import Transactions

log = logging.getLogger("alembic.runtime.migration")

_INDEX = text(
    """
    SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.oid = to_regclass(:name) AND i.indrelid = to_regclass(:table) AND c.relkind = 'i'
    """
)
_CONSTRAINT = text("SELECT convalidated FROM pg_constraint WHERE conrelid = to_regclass(:table) AND conname = :name")


@dataclass(frozen=True)
class _Half:
    line: str
    """Of the journal: the operation has begun."""
    end: str
    """A statement; "" where the server has got to the end of it for a client that was gone."""
    drops: bool = False


def finish_halves(attempt: Attempt, transactions: Transactions) -> None:
    """Do so, for the revision at hand, outside of its transaction."""
    entry = attempt.at_hand
    if not begun(entry.journal) or not attempt.last_look.looks:
        return
    with attempt.question() as connection:
        halves = list(_halves(attempt, connection))
    for half in halves:
        if half.end:
            log.info("An earlier try has left it half done: %s", half.end)
            with transactions.outside(), attempt.ours():
                statement, since = Statement.of(half.end), time.monotonic()
                attempt.begin_step(statement)
                attempt.locks.wait_outside(attempt.connection, entry, statement, deadline=attempt.deadline)
                try:
                    run_as_written(attempt.connection, half.end)
                except (IntegrityError, DataError):
                    continue  # the line itself says which rows break it
                finally:
                    attempt.add_work(since)
        if half.drops:
            entry.journal.remove(half.line)
        else:
            entry.journal.append(ended(half.line))
    if halves:  # what was read of the catalogue is not so any more
        attempt.run.history.write_journal_now(entry)
        with attempt.ours():
            attempt.last_look.begin()


def _halves(attempt: Attempt, connection: Connection) -> Iterator[_Half]:
    journal = attempt.at_hand.journal
    added = {
        change.identity
        for unit in units(journal)[0]
        for change in unit.changes
        if change.identity.kind == "constraint" and change.before is None
    }
    for line, words in begun(journal).items():
        reader = single(words)
        if reader is None:
            continue
        if names := _index(reader):
            # Without a schema it may be one that the revision has set, and sets again only below.
            known = "." in names["table"] or not attempt.may_change_path
            is_valid = connection.scalar(_INDEX, names) if known else None
            if is_valid is not None:
                yield _Half(line, "" if is_valid else f"DROP INDEX CONCURRENTLY {names['name']}", drops=not is_valid)
        elif reader.accept("ALTER TABLE"):
            named = Named("constraint", plain(reader.altered()), plain(_added(reader)))
            # Only one that this revision has added: it may replace another of its name.
            for each in filter(named.means, added):
                table = f"{quoted(each.schema)}.{quoted(each.table)}"
                is_valid = connection.scalar(_CONSTRAINT, {"table": table, "name": each.name})
                if is_valid is not None:
                    end = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(each.name)}"
                    yield _Half(line, "" if is_valid else end)


def _added(reader: Reader) -> str:
    return reader.name() if reader.accept("ADD CONSTRAINT") else ""


def _index(reader: Reader) -> dict[str, str]:
    if not reader.accept_any("CREATE INDEX", "CREATE UNIQUE INDEX"):
        return {}
    reader.accept("CONCURRENTLY")
    reader.accept("IF NOT EXISTS")
    name = reader.name()
    reader.accept("ON")
    if not name or reader.accept("ONLY"):
        return {}
    table = reader.parts()
    return {"name": ".".join([*table[:-1], name]), "table": ".".join(table)}
