"""Between which statements of a revision a commit may come, so that locks on two tables are not held together.

Where the tables are large there is one after each of them anyway (`online`). But what takes a name away or gives it to
another, switches something off, or does what its text does not tell, may be one half of a change whose other half is
yet to come: after it everything stays in its transaction.
"""

from alembic_online.postgres.locks import strong_locks
from alembic_online.postgres.locks.reader import Reader, statements, texts
from alembic_online.recipes.cutover.block_statements import all_in_block

_ROWS = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY")
_UNKNOWN = ("DO", "CALL", "SELECT", "WITH", "EXECUTE")
_WORDS = ("COMMENT", "GRANT", "REVOKE")
_INDEXES = ("CREATE INDEX", "CREATE UNIQUE INDEX", "DROP INDEX")
_NEW = ("CREATE TABLE", "CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER")
_OTHER = ("CREATE", "ALTER", "DROP")


def belongs_together(sql: str) -> bool:
    """Whether clients may see what `sql` did only together with what comes after it."""
    told = [(each, all_in_block(each)) for each in texts(sql)]
    sql = ";\n".join(each if inside is None else inside for each, inside in told)
    unknown = [reader for reader in statements(sql) if not _stands_alone(reader)]
    return bool(unknown) and (bool(strong_locks(sql)) or not all(reader.accept_any(*_OTHER) for reader in unknown))


def writes_rows(sql: str) -> bool:
    """Whether `sql` may hold rows for which others wait, with their own weak locks on the table, until the commit."""
    return any(reader.accept_any(*_ROWS) for reader in statements(sql))


def calls_functions(sql: str) -> bool:
    """Whether `sql` may do what its text does not tell."""
    return any(reader.accept_any(*_UNKNOWN) for reader in statements(sql))


def _stands_alone(reader: Reader) -> bool:
    if reader.accept_any(*_ROWS, *_WORDS, *_INDEXES, *_NEW):
        return True
    if not reader.accept("ALTER TABLE"):
        return False
    reader.altered()
    return all(action.accept_any("ADD", "ALTER", "DROP") for action in reader.split())
