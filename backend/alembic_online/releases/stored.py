"""The phase of each revision, kept in the database: an older release judges by it what it has no files of.

A row says what a revision is, and not whether it is applied: that is in Alembic's own table. So all that the files have
is written before the first step of a run, and a run that is killed leaves nothing untrue.
"""

import json
from collections.abc import Mapping

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.sql.identifiers import quoted
from alembic_online.releases.phase import Phase, Step, steps_of
from alembic_online.runtime.bookkeeping import standing, warn_of_subscribers
from alembic_online.runtime.history import PHASE_TABLE

_MAKE = """
    CREATE TABLE IF NOT EXISTS {table} (
        version_table text, revision text, parents jsonb NOT NULL, phase text CHECK (phase IN ('expand', 'contract')),
        PRIMARY KEY (version_table, revision))
"""
_KEEP = """
    INSERT INTO {table} AS kept (version_table, revision, parents, phase)
    SELECT :version_table, revision, parents, phase
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (revision text, parents jsonb, phase text)
    ON CONFLICT (version_table, revision) DO UPDATE SET parents = excluded.parents, phase = excluded.phase
    WHERE (kept.parents, kept.phase) IS DISTINCT FROM (excluded.parents, excluded.phase)
"""
_READ = "SELECT revision, parents::text AS parents, phase FROM {table} WHERE version_table = :version_table"
Stamped = tuple[str, str | None]
"""The version table of a chain, and its schema: None for that which the search_path leads to."""
_MAY_READ = text("SELECT has_table_privilege(format('%I.%I', CAST(:schema AS text), CAST(:name AS text)), 'SELECT')")


async def keep(connection: AsyncConnection, scripts: ScriptDirectory, stamped: Stamped) -> None:
    """Write what the files say, and make the table where there is none; on a connection in autocommit."""
    version_table, version_schema = stamped
    place = await connection.run_sync(standing, PHASE_TABLE, version_schema)
    table = _named(place.schema)
    if not place.exists:
        await warn_of_subscribers(connection, PHASE_TABLE, place.schema)
        await connection.execute(text(_MAKE.format(table=table)))
    rows = [
        {"revision": revision, "parents": step.parents, "phase": step.phase}
        for revision, step in steps_of(scripts).items()
    ]
    given = {"version_table": version_table, "rows": json.dumps(rows)}
    await connection.execute(text(_KEEP.format(table=table)), given)


def read(connection: Connection, stamped: Stamped) -> Mapping[str, Step]:
    """What is kept; nothing where there is no table, or this role may not read it."""
    version_table, version_schema = stamped
    place = standing(connection, PHASE_TABLE, version_schema)
    if not place.exists or not connection.scalar(_MAY_READ, {"schema": place.schema, "name": PHASE_TABLE}):
        return {}
    rows = connection.execute(text(_READ.format(table=_named(place.schema))), {"version_table": version_table})
    return {row.revision: Step(tuple(json.loads(row.parents)), Phase(row.phase) if row.phase else None) for row in rows}


async def known_steps(connection: AsyncConnection, scripts: ScriptDirectory, stamped: Stamped) -> dict[str, Step]:
    """All that the files know, and the database. Where both do, the files are believed: they are what is run."""
    return {**await connection.run_sync(read, stamped), **steps_of(scripts)}


def _named(schema: str) -> str:
    return f"{quoted(schema)}.{PHASE_TABLE}"
