"""What a revision sets for its transaction (SET LOCAL), kept over the commits that we make in its middle.

With plain Alembic it holds to the end of the transaction, which is the end of the revision, or a commit of its own. So
after a commit of ours it is set for the session, and given back at that end.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.sql.tokens import Kind

_READ = text("SELECT name, coalesce(current_setting(name, true), '') FROM unnest(CAST(:names AS text[])) AS name")
_SET = text("SELECT set_config(:name, :value, false)")
_SPECIAL = {"SESSION AUTHORIZATION": "session_authorization", "TIME ZONE": "timezone", "SCHEMA": "search_path"}
# Another one than a parameter of an application's own is in the server's list, where it is asked for.
_MAY_SET = re.compile(r"\bSET\s+(LOCAL|SESSION|[\w\"]+\s*\.)|set_config", re.IGNORECASE)
_LIMITS = ("lock_timeout", "statement_timeout")
_WHO = ("session_authorization", "role")


class LocalSettings:
    """Of one revision, on one connection."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}
        """What was set before the revision."""
        self._now: dict[str, str] = {}
        """What it had set when we committed; of the session since."""
        self._lost = self._commit_is_ours = self._read_ahead = False
        self.of_application: set[str] = set()
        """Parameters that are in no list of the server's, and that a revision of this run has set."""

    @property
    def any_local(self) -> bool:
        """Whether the revision has set something for its own transaction, but for limits."""
        return bool(self._before.keys() - set(_LIMITS))

    def follow(self, connection: Connection, statement: str) -> bool:
        """Keep up with `statement`, which is about to run; whether it does nothing but set something."""
        if self._lost:
            self.give_back(connection)
        settings = list(_set_by(statement)) if _MAY_SET.search(statement) else []
        self.of_application.update(name for name, _ in settings if "." in name)
        names = [name for name, local in settings if local]
        if new := [name for name in names if name not in self._before]:
            self._before |= _read(connection, new)
        if names:
            self._read_ahead = False
        return bool(names)

    def note_ahead(self, connection: Connection) -> None:
        """Strong locks come next, beside which nothing is read."""
        if self._before:
            self._now, self._read_ahead = _read(connection, self._before), True

    def note(self, connection: Connection) -> None:
        """We are about to commit."""
        self._commit_is_ours = True
        if self._before and not self._read_ahead:
            self._now = _read(connection, self._before)
        self._read_ahead = False

    def set_again(self, connection: Connection) -> None:
        """We have committed. The limits are ours: nobody waits for longer than they say."""
        for name, value in self._now.items():
            if name not in _LIMITS and value != self._before[name]:
                _set(connection, name, value)

    def begin(self) -> None:
        """A transaction of the revision begins again."""
        self._commit_is_ours = False

    def before_commit(self, connection: Connection) -> None:
        """Somebody commits: where it is not we, that ends it."""
        if not self._commit_is_ours:
            self.give_back(connection)

    def give_back(self, connection: Connection) -> None:
        """The revision, or its transaction, is at its end."""
        for name in self._before.keys() - set(_LIMITS):
            _set(connection, name, self._before[name])
        self.forget()

    def forget(self) -> None:
        """What was set is gone with its transaction, and nothing of it was kept."""
        self._before, self._now = {}, {}
        self._lost = self._commit_is_ours = self._read_ahead = False

    def lose(self) -> None:
        """The revision rolls back by itself: what was set before our last commit is to be given back afterwards."""
        if self._now:
            self._lost = True
        else:
            self.forget()

    @contextmanager
    def ourselves(self, connection: Connection) -> Iterator[None]:
        """What runs in the block is done by the role that the migration has."""
        roles = [name for name in _WHO if name in self._before]
        now = _read(connection, roles) if roles else {}
        for name in roles:
            _set(connection, name, self._before[name])
        yield
        for name, value in now.items():
            _set(connection, name, value)


def _read(connection: Connection, names: "list[str] | dict[str, str]") -> dict[str, str]:
    return {str(name): str(value) for name, value in connection.execute(_READ, {"names": list(names)})}


def _set(connection: Connection, name: str, value: str) -> None:
    """For the session: where the transaction has set it, that is over too."""
    connection.execute(_SET, {"name": name, "value": value})


def _set_by(statement: str) -> Iterator[tuple[str, bool]]:
    """Which settings, and whether for the transaction only."""
    for reader in statements(statement):
        if reader.accept("SET"):
            local = reader.accept("LOCAL")
            if local or not reader.accept("SESSION CHARACTERISTICS"):
                _ = local or reader.accept("SESSION")
                special = reader.accept_any(*_SPECIAL)
                yield _SPECIAL[special] if special else reader.name().replace('"', "").lower(), local
        else:
            yield from _by_function(reader)


def _by_function(reader: Reader) -> Iterator[tuple[str, bool]]:
    """`set_config('name', value, true)`, wherever it stands."""
    while reader.skip_to("SET_CONFIG"):
        arguments = [each.rest() for each in reader.parentheses().split()]
        if len(arguments) == 3 and arguments[0][0].kind is Kind.STRING:
            yield arguments[0][0].text.strip("'").lower(), arguments[2][0].keyword != "FALSE"
