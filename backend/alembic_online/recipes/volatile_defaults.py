"""Whether a default is volatile: then it is computed for each row, and adding it rewrites the table.

`contain_volatile_functions` in clauses.c decides for PostgreSQL; what it looks at are the functions, by `provolatile`.
"""

from collections.abc import Iterator

from alembic_online.postgres.sql.tokens import Kind, tokens
from alembic_online.recipes.database import Database

# Where nothing can be asked, other functions count as volatile: a default that is filled in batches harms nobody.
_STABLE = frozenset({"now", "transaction_timestamp", "statement_timestamp", "timezone", "cast", "coalesce"})
_VOLATILE = "SELECT 1 FROM pg_proc WHERE provolatile = 'v' AND proname = ANY (CAST(:names AS text[])) LIMIT 1"


def is_volatile(default: str, database: Database) -> bool:
    """Whether a function of one of the names in `default` is volatile."""
    names = sorted(set(_functions(default)))
    if not database.is_known:
        return not _STABLE.issuperset(names)
    return bool(names) and bool(database.ask(_VOLATILE, names=names))


def _functions(sql: str) -> Iterator[str]:
    before = ""
    for token in tokens(sql):
        if token.text == "(" and before:
            yield before
        before = {Kind.WORD: token.text.lower(), Kind.QUOTED_NAME: token.text.strip('"')}.get(token.kind, "")
