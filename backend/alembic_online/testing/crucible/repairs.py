"""What people do to a database in which a revision has stopped half-way, before they run it again.

below      undo the revision before it
drift      run the SQL that `drift` prints
drop       drop something that the half has made
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
from sqlalchemy import NullPool, create_engine

from alembic_online.postgres.catalogue import Catalogue, Identity, Kind
from alembic_online.postgres.errors import UserError
from alembic_online.review.drift import find_drift
from alembic_online.review.plan.rehearsal import read_live
from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.environment import with_driver
from alembic_online.testing.crucible.names import quoted
from alembic_online.testing.crucible.project import BASE, BELOW, Place
from alembic_online.testing.crucible.state import State, read_state

KINDS = ("below", "drift", "drop")


def repair(kind: str, place: Place, url: str, before: State, seed: str) -> str:
    """Do it; in words what was done, or why it was not. Raises `UserError` only for what may not fail."""
    if read_state(url).version != BASE:
        return "nothing: it is done"
    done: dict[str, Callable[[], str]] = {
        "below": lambda: _below(place, url),
        "drift": lambda: _drift(place, url),
        "drop": lambda: _drop(url, before.catalogue, seed),
    }
    return done[kind]()


def _below(place: Place, url: str) -> str:
    try:
        place.downgrade(url, BELOW, allow_data_loss="true", total_lock_timeout=20.0)
    except UserError as error:
        return f"refused: {error}"
    return f"downgrade to {BELOW}"


def _drift(place: Place, url: str) -> str:
    project = place.open(with_driver(url, ""))
    engine = create_engine(with_driver(url, "psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        live = read_live(connection, (BASE,))
    engine.dispose()
    sql = find_drift(project, live).repair
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(sql.encode() or b"SELECT 1")
    return sql


def _drop(url: str, before: Catalogue, seed: str) -> str:
    made = [entry.identity for entry in read_state(url).catalogue.values() if entry.identity not in before]
    statements = [statement for identity in made for statement in _drops(identity)]
    if not statements:
        return "nothing: nothing was made"
    statement = Dice(f"drop {seed}").one(statements)
    with psycopg.connect(url, autocommit=True) as session, suppress(psycopg.Error):
        session.execute(statement.encode())
        return statement
    return f"in vain: {statement}"


def _drops(identity: Identity) -> Iterator[str]:
    table, name = quoted(identity.table), quoted(identity.name)
    match identity.kind:
        case Kind.INDEX:
            yield f"DROP INDEX {name}"
        case Kind.CONSTRAINT:
            yield f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        case Kind.COLUMN:
            yield f"ALTER TABLE {table} DROP COLUMN {name}"
        case Kind.TABLE:
            yield f"DROP TABLE {name}"
