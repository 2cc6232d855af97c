"""The session of a connection that env.py brings is its owner's: other connections of a run are made like it, and
afterwards it is as it was. So are those that work beside a revision which has set something.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, event, text
from sqlalchemy.pool import ConnectionPoolEntry

from alembic_online.runtime.session import session_settings

_OURS = "alembic-online"
# `role` is in no list of settings. It is set last: what a superuser has set, another role may not.
_SET_BY_OWNER = text(
    "SELECT name, setting FROM pg_settings WHERE source = 'session' AND setting <> reset_val"
    " AND context IN ('user', 'superuser')"
    " AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')"
    " UNION ALL SELECT 'role', current_setting('role')"
)
# What is in no list of settings, as a parameter of an application, is asked for by its name.
_SET_BY_REVISION = text(
    "SELECT name, setting FROM pg_settings WHERE source = 'session' AND context IN ('user', 'superuser')"
    " AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')"
    " UNION SELECT name, current_setting(name, true) FROM unnest(CAST(:named AS text[])) AS name"
    " WHERE current_setting(name, true) IS NOT NULL"
)
_CURRENT = text(
    "SELECT key, current_setting(key) AS value FROM json_each_text(CAST(:settings AS json))"
    " WHERE current_setting(key, true) IS NOT NULL"
)
_SET = text("SELECT set_config(key, value, false) FROM json_each_text(CAST(:settings AS json))")


def set_by_owner(connection: Connection) -> dict[str, str]:
    """What was SET in this session: the search_path of a tenant, parameters of the application, and the role."""
    return {row.name: row.setting for row in connection.execute(_SET_BY_OWNER)}


def set_by_revision(connection: Connection, named: Iterable[str]) -> dict[str, str]:
    """What counts in the session at hand and was not set by us, with these parameters of an application's own.

    Not the role: what is done beside a revision is done by the role that the migration has.
    """
    found = connection.execute(_SET_BY_REVISION, {"named": list(named)})
    return {row.name: row.setting for row in found if row.name not in session_settings()}


@contextmanager
def local_settings_kept(connection: Connection) -> Iterator[None]:
    """What env.py has SET LOCAL in the transaction that it has begun counts to the end of the block, and no longer.

    With plain Alembic all revisions run in that transaction. Here each is committed by itself, and so is this.
    """
    if not connection.in_transaction():
        yield
        return
    before = set_by_owner(connection)
    connection.commit()
    now = set_by_owner(connection)
    local = {name: value for name, value in before.items() if now.get(name) != value}
    with left_as_it_was(connection, local):
        if local:
            make_like(connection, local)
        yield


@contextmanager
def others_alike(connection: Connection, settings: Mapping[str, str]) -> Iterator[None]:
    """Until the end of the block, what else is connected by this connection's engine has these settings.

    Such a connection is closed afterwards, and does not go back to a pool, from which the application would get it.
    """
    engine, pool = connection.engine, connection.engine.pool

    def make_alike(other: Connection) -> None:
        if not is_same_session(other, connection):
            other.info[_OURS] = True
            make_like(other, settings)

    def close(_: object, record: ConnectionPoolEntry) -> None:
        if record.info.pop(_OURS, False):
            record.invalidate()

    event.listen(engine, "engine_connect", make_alike)
    event.listen(pool, "checkin", close)
    try:
        yield
    finally:
        event.remove(engine, "engine_connect", make_alike)
        event.remove(pool, "checkin", close)


def is_same_session(one: Connection, other: Connection) -> bool:
    """Whether they are one connection of the driver's, as a pool of one gives it."""
    return one.connection.dbapi_connection is other.connection.dbapi_connection


def make_like(connection: Connection, settings: Mapping[str, str]) -> None:
    """Set all of it in the connection's session."""
    connection.execute(_SET, {"settings": json.dumps(settings)})
    connection.commit()


@contextmanager
def left_as_it_was(connection: Connection, ours: Mapping[str, str]) -> Iterator[None]:
    """At the end of the block the session has the values again that it had for the settings of `ours`."""
    before = {row.key: row.value for row in connection.execute(_CURRENT, {"settings": json.dumps(ours)})}
    connection.commit()
    try:
        yield
    finally:
        if not connection.invalidated and not connection.closed:
            connection.rollback()
            make_like(connection, before)
