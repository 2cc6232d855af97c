"""Which tables are changed directly because nobody can notice, or because the revision says why it may.

A revision says so in a line of its own, which stock Alembic passes over:

    direct = {"books": "the shop is closed while this runs"}
"""

from collections.abc import Iterator, Mapping

from alembic.script import Script
from sqlalchemy import TextClause
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.base import Executable

from alembic_online.errors import RevisionFailed
from alembic_online.postgres.locks.reader import statements
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain, table_name
from alembic_online.recipes.step import OnlineChange


def new_names(statement: Executable) -> Iterator[str]:
    """The tables and types that `statement` makes; with IF NOT EXISTS one may be old, and does not count."""
    if isinstance(statement, CreateTable) and not statement.if_not_exists:
        yield table_name(statement.element)
    elif isinstance(statement, TextClause):
        for reader in statements(statement.text):
            if reader.accept_any("CREATE TABLE", "CREATE UNLOGGED TABLE", "CREATE TYPE") and not reader.accept(
                "IF NOT EXISTS"
            ):
                yield reader.name()


def reason_to_be_direct(script: Script, table: str) -> str:
    """What the revision says of `table`; "" if it says nothing. Raises `RevisionFailed` where the reason is missing."""
    declared = getattr(script.module, "direct", {})
    if not isinstance(declared, Mapping) or not all(isinstance(why, str) and why.strip() for why in declared.values()):
        raise RevisionFailed(
            f"Revision {script.revision} says direct = {declared!r}, and not why.",
            'Write the table and the reason: direct = {"books": "the shop is closed while this runs"}',
        )
    return next((why for name, why in declared.items() if plain(name) == plain(table)), "")


def is_small(change: OnlineChange, database: Database) -> bool:
    """Whether it takes but an instant as it stands."""
    facts = database.table(change.table) if change.table else None
    if facts is None or change.always:
        return False
    if change.needed:
        return facts.heap_bytes == 0
    return facts.temporary or facts.heap_bytes == 0 or facts.bytes < database.policy.small_table_bytes


def is_large(table: str, script: Script, database: Database) -> bool:
    """Whether clients would wait for what holds a lock on it, and the revision does not say that they may."""
    facts = database.table(table)
    if facts is None or facts.temporary or facts.heap_bytes == 0:
        return False
    return facts.bytes >= database.policy.small_table_bytes and not reason_to_be_direct(script, table)
