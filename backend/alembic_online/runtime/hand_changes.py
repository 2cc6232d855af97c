"""Was the schema changed by hand? The history keeps the fingerprint that the last run of ours has left.

Nothing is said where nobody can know: in the middle of a revision, before the first fingerprint, on another server.
"""

import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.catalogue.fingerprint import Scope, read_fingerprint
from alembic_online.postgres.catalogue.version import read_version
from alembic_online.postgres.sqlstate import server_message
from alembic_online.runtime.bookkeeping import standing
from alembic_online.runtime.history import TABLE, history_name

log = logging.getLogger("alembic.runtime.migration")

T = TypeVar("T")
Narrow = Callable[[Connection, Scope], Scope]
"""Leaves out what is of no account after all; asked only where something differs."""

_COMPARED = frozenset(
    {"extension", "schema", "enum", "domain", "sequence", "table", "column", "constraint", "index", "comment"}
)
"""What every project has words for. Of the other kinds, those count that a run of ours has changed."""
_OF_THE_DATABASE = frozenset(
    {"privileges", "default privileges", "publication", "event trigger", "server", "foreign-data wrapper", "cast"}
)
"""Until a revision has one, these are the administrator's."""
# A row as JSON: the history of an older release has no such column.
_LAST = """
    SELECT h.id, h.revision, h.finished, to_jsonb(h) ->> 'fingerprint' AS fingerprint,
        EXISTS (SELECT FROM {history} later WHERE later.id > h.id AND later.journal <> '[]') AS half
    FROM {history} h WHERE h.outcome = 'done' ORDER BY h.id DESC LIMIT 1
"""


@dataclass(frozen=True)
class Recorded:
    """A fingerprint as the history keeps it, with what is needed to compare it with another one."""

    server: int
    """The major version: what is printed by another one is another text."""
    version: str
    scope: Scope
    kinds: Mapping[str, str]
    ours: tuple[str, ...] = ()
    """The kinds that count besides those of every project."""

    def as_json(self) -> str:
        """As it is kept."""
        kept = {"server": self.server, "version": self.version, "scope": self.scope.as_data()}
        return json.dumps({**kept, "kinds": dict(self.kinds), "ours": list(self.ours)})

    @classmethod
    def of_json(cls, kept: str) -> "Recorded":
        """The way back."""
        data = json.loads(kept)
        scope = Scope.of_data(data["scope"])
        return cls(data["server"], data["version"], scope, data["kinds"], tuple(data["ours"]))

    def differing(self, kinds: Mapping[str, str]) -> tuple[str, ...]:
        """The kinds that differ and count."""
        return tuple(sorted((_COMPARED | {*self.ours}) & changed_kinds(self.kinds, kinds)))


@dataclass(frozen=True)
class Last:
    """The last step that was done, and what it has left; None where that is not known."""

    id: int
    revision: str
    finished: datetime
    recorded: Recorded | None


@dataclass(frozen=True)
class HandChange:
    """What differs from what the last step left."""

    kinds: tuple[str, ...]
    since: Last

    @property
    def sentence(self) -> str:
        """What it is."""
        when = f"{self.since.finished:%Y-%m-%d %H:%M}"
        return f"The schema was changed by hand since {self.since.revision} was done ({when}): {', '.join(self.kinds)}."

    @property
    def remedy(self) -> str:
        """The next step."""
        return (
            "What it is, and the SQL that takes it back: alembic-online drift\n"
            f'To accept it as it is: alembic -x unproven="because ..." stamp {self.since.revision}'
        )


def changed_kinds(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    """Those of which the fingerprints differ."""
    return {kind for kind in before.keys() | after.keys() if before.get(kind) != after.get(kind)}


def of_declared(kinds: Collection[str]) -> set[str]:
    """Those of a project that keeps account of what SQLAlchemy has no word for."""
    return set(kinds) - _OF_THE_DATABASE


def read_last(connection: Connection, version_schema: str | None = None) -> Last | None:
    """None where no step was done yet, or where one is half done."""
    place = standing(connection, TABLE, version_schema)
    return last_step(connection, place.schema) if place.exists else None


def last_step(connection: Connection, schema: str) -> Last | None:
    """The same, of the history in this schema."""
    row = connection.execute(text(_LAST.format(history=history_name(schema)))).first()
    if row is None or row.half:
        return None
    return Last(row.id, row.revision, row.finished, Recorded.of_json(row.fingerprint) if row.fingerprint else None)


def take(connection: Connection, scope: Scope) -> Recorded | None:
    """The fingerprint of the database as it is. What is changed meanwhile is seen by the next look."""

    def taken() -> Recorded:
        version = read_version(connection)
        return Recorded(server_version(connection), version, scope, read_fingerprint(connection, scope))

    return _if_readable(taken)


def server_version(connection: Connection) -> int:
    """The major one."""
    known = connection.dialect.server_version_info
    assert known is not None, "it is connected"
    return int(known[0])


def changed_by_hand(
    connection: Connection, version_schema: str | None = None, narrow: Narrow | None = None
) -> HandChange | None:
    """What somebody has changed since the last step; None where it is nothing, or where nobody can know.

    Three short queries, which only read, where nothing was written to the catalogue.
    """
    return _if_readable(lambda: _changed(read_last(connection, version_schema), connection, version_schema, narrow))


def changed_since(
    last: Last | None, connection: Connection, version_schema: str | None = None, narrow: Narrow | None = None
) -> HandChange | None:
    """The same, since this step."""
    return _if_readable(lambda: _changed(last, connection, version_schema, narrow))


def _changed(
    last: Last | None, connection: Connection, version_schema: str | None, narrow: Narrow | None
) -> HandChange | None:
    if last is None or last.recorded is None or last.recorded.server != server_version(connection):
        return None
    if read_version(connection) == last.recorded.version:
        return None
    kinds = _differing(connection, last.recorded, narrow)
    again = read_last(connection, version_schema)
    # A migration may have gone on meanwhile.
    return HandChange(kinds, last) if kinds and again is not None and again.id == last.id else None


def _differing(connection: Connection, recorded: Recorded, narrow: Narrow | None) -> tuple[str, ...]:
    kinds = recorded.differing(read_fingerprint(connection, recorded.scope))
    if not kinds or narrow is None:
        return kinds
    narrower = narrow(connection, recorded.scope)
    return kinds if narrower == recorded.scope else recorded.differing(read_fingerprint(connection, narrower))


def _if_readable(read: Callable[[], T]) -> T | None:
    """What another session drops or holds in the middle cannot be printed: then nothing is known, and it is said."""
    try:
        return read()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        log.info("The schema was not compared with what the last migration left: %s.", server_message(error))
        return None
