"""A swap that finds something else than what it was made for: the try ends, and the next one makes what is missing."""

from alembic_online.postgres.sqlstate import CHANGED_MEANWHILE
from alembic_online.recipes.names import literal


def fails_unless(query: str, before: str, words: str) -> str:
    """PL/pgSQL that fails with `words` where `query` finds another fingerprint than `before`.

    The detail says both: who finds the same two once more knows that nobody has changed anything since.
    """
    return (
        f"IF ({query}) IS DISTINCT FROM {literal(before)} THEN"
        f" RAISE EXCEPTION USING ERRCODE = {literal(CHANGED_MEANWHILE)}, MESSAGE = {literal(words)},"
        f" DETAIL = concat_ws(' ', {literal(before)}, ({query})); END IF"
    )
