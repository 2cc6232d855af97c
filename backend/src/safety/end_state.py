"""What a revision must not leave behind: an INVALID index, a constraint that is NOT VALID."""

from collections.abc import Collection

from sqlalchemy import Connection, text

from src.safety.errors import RevisionFailed

_UNFINISHED = text(
    """
    SELECT format('INVALID index %s on %s', i.indexrelid::regclass, i.indrelid::regclass)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname NOT LIKE 'pg\\_%'
    UNION ALL
    SELECT format('NOT VALID constraint %I on %s', k.conname, k.conrelid::regclass)
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
    WHERE NOT k.convalidated AND k.conrelid <> 0 AND n.nspname NOT LIKE 'pg\\_%'
      -- NOT ENFORCED (PostgreSQL 18) is never validated, and means to be so
      AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)
    ORDER BY 1
    """
)


def unfinished(connection: Connection) -> list[str]:
    """Every INVALID index and NOT VALID constraint of the database, in words."""
    return list(connection.scalars(_UNFINISHED))


def check_end_state(connection: Connection, *, before: Collection[str], leaves: Collection[str], revision: str) -> None:
    """Raise `RevisionFailed` for what was not there `before` and is not named in the revision's `leaves`."""
    left = [words for words in unfinished(connection) if words not in before and words.split()[2] not in leaves]
    if left:
        raise RevisionFailed(
            f"Revision {revision} leaves something unfinished: {'; '.join(left)}.",
            "Finish it in the revision (VALIDATE CONSTRAINT, or build the index again).\n"
            f'If a later one will, say so in the file: leaves = ["{left[0].split()[2]}"]',
        )
