"""Tables and columns that are no longer there under their names."""

from collections.abc import Iterator

from alembic_online.postgres.catalogue import Identity, Kind
from alembic_online.postgres.locks.reader import statements
from alembic_online.review.lint.executed_revision import Trial


def removed(trial: Trial) -> Iterator[Identity]:
    """Of the upgrade; a table's columns go with it and are not listed."""
    for difference in trial.differences:
        identity = difference.identity
        if difference.change == "removed" and (identity.kind is Kind.TABLE or _is_column(trial, identity)):
            yield identity


def renamed(trial: Trial, name: str) -> set[str]:
    """The words of the statement of the upgrade that gives it another name or schema; none if there is none."""
    for traced in trial.upgrade:
        for reader in statements(traced.sql):
            words = {token.text.replace('"', ""): None for token in reader.rest()}  # in their order
            if name in words and (reader.has("RENAME") or "SET SCHEMA" in " ".join(words).upper()):
                return set(words)
    return set()


def _is_column(trial: Trial, identity: Identity) -> bool:
    return identity.kind is Kind.COLUMN and Identity(Kind.TABLE, identity.schema, "", identity.table) in set(
        trial.before.catalogue
    )
