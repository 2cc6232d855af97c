"""Whether an upgrade has nothing to do: asked before it opens a second connection, takes its locks and is imported.

Most upgrades are such: whatever starts a service begins with one. Only the plainest case counts. Whatever is otherwise
is left to the run, which knows what to say of it.
"""

from sqlalchemy import Connection, Table, select, text
from sqlalchemy.exc import DBAPIError

from alembic_online.policy import Policy
from alembic_online.runtime.advisory_lock import MIGRATOR, lock_space
from alembic_online.runtime.bookkeeping import standing
from alembic_online.runtime.current_command import Command
from alembic_online.runtime.hand_changes import changed_since, last_step
from alembic_online.runtime.history import TABLE, history_name

# Shared, so that several may look at once; until the transaction ends, nobody migrates. Both work on a standby too.
_BEGIN = text(
    """
    SELECT pg_try_advisory_xact_lock_shared(:space, :which) AND to_regclass(:version) IS NOT NULL,
        set_config('lock_timeout', '1s', true)
    """
)
# The history of an older release lacks its last column, which the run adds.
_SETTLED = """
    SELECT to_jsonb(h) -> 'fingerprint' IS NOT NULL AND NOT EXISTS (
        SELECT FROM {history} o WHERE o.outcome <> 'done'
          AND NOT EXISTS (SELECT FROM {history} later WHERE later.revision = o.revision AND later.id > o.id))
    FROM {history} h WHERE h.outcome = 'done' ORDER BY h.id DESC LIMIT 1
"""


def is_up_to_date(connection: Connection, version: Table, command: Command, policy: Policy) -> bool:
    """Whether the upgrade at hand goes to the head, and `version` is there; all is done, and nothing changed by hand.

    Whatever transaction the connection is in is committed. Only reads, and waits a second at most. What cannot be read
    is not up to date.
    """
    heads = command.scripts.get_heads()
    goes_to_head = command.destination == ("heads",) or (command.destination == ("head",) and len(heads) == 1)
    if command.name != "upgrade" or not goes_to_head or policy.expand_contract:
        return False
    connection.commit()
    try:
        return _is_at(heads, connection, version) and _is_whole(connection, version.schema, policy)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return False
    finally:
        if not connection.invalidated:
            connection.rollback()


def _is_at(heads: list[str], connection: Connection, version: Table) -> bool:
    name = connection.dialect.identifier_preparer.format_table(version)
    free_and_there, _ = connection.execute(_BEGIN, {"space": lock_space(), "which": MIGRATOR, "version": name}).one()
    return bool(free_and_there) and set(connection.scalars(select(version.c.version_num))) == set(heads)


def _is_whole(connection: Connection, schema: str | None, policy: Policy) -> bool:
    place = standing(connection, TABLE, schema)
    if not place.exists or not connection.scalar(text(_SETTLED.format(history=history_name(place.schema)))):
        return False
    if policy.changed_by_hand == "ignore":
        return True
    return changed_since(last_step(connection, place.schema), connection, schema) is None
