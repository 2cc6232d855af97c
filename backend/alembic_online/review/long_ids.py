"""Ids of revisions that the version table does not hold: found before anything is changed, and not by the stamp."""

from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from alembic_online.alembic_seam import version_table
from alembic_online.errors import BrokenChain
from alembic_online.recipes.names import table_name
from alembic_online.revisions.numbering import LONGEST_ID

_WIDTH = text("""
    SELECT CASE WHEN atttypmod > 4 THEN atttypmod - 4 END FROM pg_attribute
    WHERE attrelid = to_regclass(:table) AND attname = 'version_num'
""")


def check_ids(connection: Connection, migration_context: MigrationContext, scripts: ScriptDirectory) -> None:
    """Raise `BrokenChain` for an id that is too long to be stamped, unless a revision speaks of the column itself."""
    chain = list(scripts.walk_revisions())
    longest = max(chain, key=lambda script: len(script.revision), default=None)
    if longest is None or len(longest.revision) <= LONGEST_ID:
        return
    if any(b"version_num" in Path(script.path).read_bytes() for script in chain):
        return  # that one makes it wider, in time or not
    version = version_table(migration_context)
    there = connection.execute(_WIDTH, {"table": table_name(version)}).one_or_none()
    width = there[0] if there else getattr(version.c.version_num.type, "length", None)
    if width is not None and len(longest.revision) > width:
        raise BrokenChain(
            f"The revision id in {Path(longest.path).name} has {len(longest.revision)} characters;"
            f" {version.name} holds {width}.",
            "Give it a shorter one, in its name and in its revision line; or make the column wider:\n"
            f"ALTER TABLE {table_name(version)} ALTER COLUMN version_num TYPE varchar(255)",
        )
