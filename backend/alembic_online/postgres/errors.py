"""Errors that a user can cause, each one plain sentence and the next step.

    UserError
    ├── InvalidURL          exit 10   the database URL cannot be used as it is written
    ├── ServerUnreachable   exit 11   nobody answers, or not in time, or not with the TLS that was asked for
    ├── AccessRefused       exit 12   the server answers and says no: password, role, database, right
    ├── ServerUnfit         exit 13   the server cannot carry this: version, pgvector, read-only, full, pooler
    ├── NotInstalled        exit 22   a library is missing that only some need
    └── SafetyError         exit 14 to 21, see `alembic_online.errors`

`str(error)` is what the user reads, at most eight lines; the password is never in it.
"""

from typing import ClassVar


class UserError(Exception):
    """What is wrong, in one sentence, and what to do next. `exit_code` is the process's answer, one a class."""

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n{remedy}")
        self.problem = problem
        self.remedy = remedy

    def say_too(self, sentence: str) -> None:
        """Add it at the end."""
        self.remedy = f"{self.remedy}\n{sentence}"
        self.args = (f"{self.problem}\n{self.remedy}",)


class InvalidURL(UserError):
    """The database URL cannot be used.

    It is empty or malformed, names an unknown driver, or has an `@` in its password that is not written `%40`.
    """

    exit_code = 10


class ServerUnreachable(UserError):
    """Nobody answers.

    The host is unknown, there is no TLS, the connection was lost, or it is starting up for longer than the limit.
    """

    exit_code = 11


class AccessRefused(UserError):
    """The server answers, and refuses.

    A wrong password, an unknown role or database, no right on the schema or to create the extension.
    """

    exit_code = 12


class ServerUnfit(UserError):
    """The server answers, and cannot do this.

    PostgreSQL older than 16, pgvector missing or too old, read-only, disk full, no connection free, a pooler in
    transaction mode.
    """

    exit_code = 13


class NotInstalled(UserError):
    """A library is missing that only some need: the sentence says which extra brings it."""

    exit_code = 22
