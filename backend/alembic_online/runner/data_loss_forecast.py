"""What a downgrade will destroy, read from the revision files before the first of them is undone.

Only what is written out is seen (`source_sql`). What is not seen here is counted when its statement comes; so is what
is another thing by then, for an earlier operation of the way gives it another name, type or rows.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import Connection

from alembic_online.postgres.locks.reader import Reader, statements, texts
from alembic_online.recipes.names import plain
from alembic_online.runner.copied_values import copied
from alembic_online.runner.data_loss import Loss, losses, refuse
from alembic_online.runner.data_loss_confirmation import Consent
from alembic_online.runner.dropped_data import deleted, gone
from alembic_online.runner.lossy_casts import changes
from alembic_online.runner.overwritten_values import overwritten
from alembic_online.runner.reversible_losses import ways_back
from alembic_online.runner.source_sql import written_out


def ask_ahead(connection: Connection, steps: Sequence[Any], consent: Consent) -> None:
    """May the data of all the downgrades go, as far as that can be told before the first? Raises `DataLoss`."""
    undone = [step.revision for step in steps if isinstance(step, RevisionStep) and step.is_downgrade]
    if all(consent.given(script.revision) for script in undone):
        return
    lost: dict[str, list[Loss]] = {}
    another: set[str] = set()
    for script in undone:
        if isinstance(script, Script):
            found = losses_ahead(connection, script, another, counted=not consent.given(script.revision))
            if found:
                lost[script.revision] = found
    connection.commit()  # nobody waits for a person's answer
    if not all(consent.ask(found, revision) for revision, found in lost.items()):
        raise refuse(lost, consent.allowed, done="nothing was changed yet")


def losses_ahead(connection: Connection, script: Script, another: set[str], *, counted: bool) -> list[Loss]:
    """What the downgrade of this revision would destroy in the database as it is now, but for what is in `another`.

    Tables and columns that are another thing after it are added to `another`.
    """
    found: dict[Loss, None] = {}
    ways = ways_back(script)
    for statement in chain.from_iterable(map(texts, written_out(script, "downgrade"))):
        if counted and not {*_touched(connection, statement)} & another:
            found |= dict.fromkeys(losses(connection, statement, ways))
        another |= {*_made_another(statement)}
    return list(found)


def _touched(connection: Connection, statement: str) -> Iterator[str]:
    """Tables and columns, without their schemas, that it takes values away from."""
    for each in gone(connection, statement):
        yield _bare(each.relation)
        yield f"{_bare(each.relation)}.{plain(each.part)}"
    yield from (_bare(table) for table, _ in deleted(statement))
    for change in changes(statement):
        yield f"{_bare(change.table)}.{plain(change.column)}"
        yield _values(change.table, change.column)
    for value in overwritten(statement):
        yield _bare(value.table)
        yield f"{_bare(value.table)}.{plain(value.column)}"


def _made_another(statement: str) -> Iterator[str]:
    """Tables and columns, so named, that have another name, other rows, another type or a copy after it."""
    for value in overwritten(statement):
        yield _values(value.table, value.column)
    yield from copied(statement)
    for reader in statements(statement):
        what = reader.accept_any("CREATE TABLE", "DELETE FROM", "TRUNCATE TABLE", "TRUNCATE", "ALTER TABLE")
        if what != "ALTER TABLE":
            yield from (_bare(name) for name in (reader.names() if what else ()))
            continue
        reader.accept("IF EXISTS")
        table = _bare("".join(reader.names()[:1]))
        for action in reader.split():
            if action.accept("RENAME"):
                action.accept("COLUMN")
                yield from (table, _bare(action.name())) if action.accept("TO") else _columns(table, action)
            elif action.accept("SET SCHEMA"):
                yield table
    yield from (f"{_bare(change.table)}.{plain(change.column)}" for change in changes(statement))


def _values(table: str, column: str) -> str:
    """A column whose values are written over: what a new type does to them is another thing then."""
    return f"values of {_bare(table)}.{plain(column)}"


def _columns(table: str, action: Reader) -> Iterator[str]:
    yield f"{table}.{plain(action.name())}"
    if action.accept("TO"):
        yield f"{table}.{plain(action.name())}"


def _bare(table: str) -> str:
    return plain(table).rpartition(".")[2]
