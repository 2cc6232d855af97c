"""What a revision must not leave behind: an INVALID index, a constraint that is NOT VALID, rows that break one."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, literal_column, text
from sqlalchemy.exc import IntegrityError

from alembic_online.errors import RevisionFailed
from alembic_online.postgres import sqlstate as state

_UNFINISHED = text(
    """
    SELECT format('INVALID index %s on %s', i.indexrelid::regclass, i.indrelid::regclass)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND c.relkind IN ('i', 'I') AND n.nspname NOT LIKE 'pg\\_%'
    UNION ALL
    SELECT format('NOT VALID constraint %I on %s', k.conname, k.conrelid::regclass) || CASE WHEN k.contype = 'n' THEN
      -- SET NOT NULL of a table does not look at the rows of such a partition (PostgreSQL 18)
      coalesce((SELECT ' below the NOT NULL of ' || above.attrelid::regclass FROM pg_inherits i
                JOIN pg_attribute own ON own.attrelid = k.conrelid AND own.attnum = k.conkey[1]
                JOIN pg_attribute above ON above.attrelid = i.inhparent AND above.attname = own.attname
                WHERE i.inhrelid = k.conrelid AND above.attnotnull LIMIT 1), '') ELSE '' END
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
    WHERE NOT k.convalidated AND k.conrelid <> 0 AND n.nspname NOT LIKE 'pg\\_%'
      -- NOT ENFORCED (PostgreSQL 18) is never validated, and means to be so
      AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)
      -- of a foreign key that refers to partitions, VALIDATE marks those for each of them from PostgreSQL 18 on only
      AND NOT EXISTS (SELECT FROM pg_constraint whole WHERE whole.oid = k.conparentid AND whole.conrelid = k.conrelid)
    ORDER BY 1
    """
)


SUSPICIONS: Sequence[ColumnElement[Any]] = (
    literal_column(
        "EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)"
        " OR EXISTS (SELECT FROM pg_constraint WHERE NOT convalidated)"
    ).label("unfinished"),
    literal_column("EXISTS (SELECT FROM pg_trigger WHERE tgdeferrable)").label("deferrable"),
)
"""Is there anything to look at closely? Cheap enough to be asked after each revision, together with something else."""


def unfinished(connection: Connection) -> list[str]:
    """Every INVALID index and NOT VALID constraint of the database, in words."""
    return list(connection.scalars(_UNFINISHED))


def check_end_state(
    connection: Connection, suspicion: Row[Any], *, before: Collection[str], leaves: Collection[str], revision: str
) -> list[str]:
    """What is unfinished now; `suspicion` is the answer to `SUSPICIONS`.

    Raises `RevisionFailed` for what was not so `before` and is not named in `leaves`.
    """
    if suspicion.deferrable:
        _check_deferred(connection, revision)
    found = unfinished(connection) if suspicion.unfinished else []
    left = [words for words in found if words not in before and _name(words) not in leaves]
    if left:
        raise RevisionFailed(
            f"Revision {revision} leaves something unfinished: {'; '.join(left)}.",
            "Finish it in the revision (VALIDATE CONSTRAINT, or build the index again).\n"
            f'If a later one will, say so in the file: leaves = ["{_name(left[0])}"]',
        )
    return found


def _check_deferred(connection: Connection, revision: str) -> None:
    """Deferred constraints would be checked by the commit, when nobody can say any more which revision it was."""
    try:
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        detail = state.server_field(error, "detail")
        raise RevisionFailed(
            f"Revision {revision} breaks a deferred constraint: {state.server_message(error)}.",
            f"{f'Row: {detail}' if detail else ''}\nCorrect the data or the file, then run it again.".strip(),
        ) from error


def _name(words: str) -> str:
    return words.removeprefix("INVALID index ").removeprefix("NOT VALID constraint ").rpartition(" on ")[0]
