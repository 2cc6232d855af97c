"""One statement of a revision, read once: what it says of itself. No server is asked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from alembic_online.postgres.locks import is_patient, needs_autocommit
from alembic_online.postgres.locks.reader import first_word, statements
from alembic_online.recipes.cutover.block_statements import with_block_statements
from alembic_online.recipes.cutover.commit_points import belongs_together, calls_functions, writes_rows

_QUERIES = ("SELECT", "WITH", "SHOW", "VALUES", "TABLE")
# They are of the session, which is another one after a crash: they run again.
_SESSION = ("SET", "RESET", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
# SET NOT NULL and a new key pass by a partition's NOT VALID constraint (PostgreSQL 18): what is left is rolled back.
_OPEN = re.compile(
    r"\bNOT\s+VALID\b|\bON\s+ONLY\b|\bindisvalid\b|\bSET\s+NOT\s+NULL\b|\bADD\b[^;]*\bPRIMARY\s+KEY\b", re.IGNORECASE
)
# None of these writes more rows than there are, nor does what makes something empty.
_DEFINES = ("ALTER", "DROP", "COMMENT", "GRANT", "REVOKE")
_MAKES_EMPTY = re.compile(
    r"\s*CREATE\s+(TABLE|(UNIQUE\s+)?INDEX|TYPE|SEQUENCE)\s+(?!.*\bAS\b)", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Statement:
    """With its values."""

    sql: str
    """As PostgreSQL reads it."""
    sent: str
    """As the driver gets it: psycopg halves what is doubled."""
    parameters: Any = None
    """In the driver's form."""
    values: Any = None
    """By name, and before a driver's own conversions."""

    @classmethod
    def of(cls, sql: str) -> "Statement":
        """A text without values, or several."""
        return cls(sql, sql)

    @classmethod
    def on(cls, connection: Connection, sent: str, parameters: Any, context: Any) -> "Statement":
        """What SQLAlchemy is about to send in this context of its execution."""
        doubled = connection.dialect.paramstyle == "pyformat"
        values = getattr(context, "compiled_parameters", parameters)
        return cls(sent.replace("%%", "%") if doubled else sent, sent, parameters, values)

    @cached_property
    def word(self) -> str:
        """The first, in capitals."""
        return first_word(self.sql)

    @property
    def is_of_the_session(self) -> bool:
        """Whether it sets something, or begins or ends a transaction."""
        return self.word in _SESSION

    @property
    def is_query(self) -> bool:
        """Whether it may be there for its rows alone."""
        return self.word in _QUERIES

    @cached_property
    def must_stay_outside(self) -> bool:
        """Whether it cannot, or need not, be in a transaction, and commits by itself."""
        return self.is_patient or needs_autocommit(self.sql)

    @cached_property
    def is_patient(self) -> bool:
        """Whether it waits for everybody and blocks nobody."""
        return is_patient(self.sql)

    @property
    def may_leave_open(self) -> bool:
        """Whether it may leave an index INVALID or a constraint NOT VALID."""
        return bool(_OPEN.search(self.sql))

    @cached_property
    def told(self) -> "Statement":
        """With all that its DO blocks write out: what it may lock."""
        told = with_block_statements(self.sql)
        return self if told == self.sql else Statement.of(told)

    @cached_property
    def belongs_together(self) -> bool:
        """Whether its effect must be seen at once with what follows, or not at all."""
        return belongs_together(self.sql)

    @cached_property
    def calls_functions(self) -> bool:
        """Whether it may do what no text tells."""
        return calls_functions(self.sql)

    @cached_property
    def writes_rows(self) -> bool:
        """Whether it changes rows."""
        return writes_rows(self.sql)

    @property
    def may_fill_tables(self) -> bool:
        """Whether a table may be larger after it than the few rows that were there."""
        return not (self.word in _DEFINES or self.is_of_the_session or _MAKES_EMPTY.match(self.sql))

    @property
    def texts(self) -> list[str]:
        """The strings among its values."""
        return _texts_in(self.parameters)


def _texts_in(parameters: Any) -> list[str]:
    if isinstance(parameters, str):
        return [parameters]
    found = parameters.values() if isinstance(parameters, Mapping) else parameters
    return [text for each in found for text in _texts_in(each)] if isinstance(found, Iterable) else []


def end_of_transaction(sql: str) -> str:
    """COMMIT or ROLLBACK, where `sql` is that and nothing else."""
    if sql.lstrip()[:1] not in "CcEeRrAa":
        return ""
    found = list(statements(sql))
    word = found[0].accept_any("COMMIT", "END", "ROLLBACK", "ABORT") if len(found) == 1 else None
    if word is None:
        return ""
    found[0].accept_any("WORK", "TRANSACTION")
    if not (found[0].done or found[0].accept("AND NO CHAIN")):
        return ""  # to a savepoint, a prepared transaction, or with a chain of its own
    return "COMMIT" if word in ("COMMIT", "END") else "ROLLBACK"
