"""Was a revision file edited after it was applied? The history keeps the checksum that it had then."""

import logging

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, select

from alembic_online.errors import BrokenChain
from alembic_online.policy import Policy
from alembic_online.revisions.graph import known_ids
from alembic_online.revisions.squashed import files_of
from alembic_online.runtime.bookkeeping import standing
from alembic_online.runtime.history import TABLE, checksum, history_table
from alembic_online.text import listed

log = logging.getLogger("alembic.runtime.migration")


def report_edited(
    connection: Connection,
    version_schema: str | None,
    heads: tuple[str, ...],
    scripts: ScriptDirectory,
    policy: Policy,
) -> None:
    """Warn of every applied revision whose file is another by now, or raise `BrokenChain` if the policy says so.

    The database is at `heads`; `version_schema` is Alembic's `version_table_schema`.
    """
    if not heads:
        return
    place = standing(connection, TABLE, version_schema)
    if not place.exists:
        return
    if not set(heads) <= known_ids(scripts):
        return  # the command itself says that the database is ahead of the code
    edited = edited_files(connection, history_table(place.schema), scripts, heads)
    if edited and policy.edited_revisions == "error":
        raise BrokenChain(
            f"Edited after they were applied: {listed(edited)}.",
            "Undo the edit (git log -p shows it), and write what is to change as a new revision.",
        )
    for name in edited:
        log.warning("%s was edited after it was applied here: other databases may differ from this one.", name)


def edited_files(connection: Connection, history: Table, scripts: ScriptDirectory, heads: tuple[str, ...]) -> list[str]:
    """The names of applied files whose text is another one than when this database ran them; its history is there."""
    files = {script.revision: files_of(scripts, script) for script in scripts.iterate_revisions(heads, "base")}
    columns = history.c
    query = select(columns.revision, columns.checksum).order_by(columns.id)
    rows = connection.execute(query.where(columns.outcome == "done", columns.direction == "upgrade"))
    kept = {row.revision: row.checksum for row in rows}
    edited = [name for name in files.keys() & kept.keys() if kept[name] not in map(checksum, files[name])]
    return sorted(files[name][0].name for name in edited)
