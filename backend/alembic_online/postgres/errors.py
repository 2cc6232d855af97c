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
    """The database URL is empty, malformed, or names a driver that cannot be used."""

    exit_code = 10


class ServerUnreachable(UserError):
    """No server answers at the address, it is not ready yet, or client and server disagree about TLS."""

    exit_code = 11


class AccessRefused(UserError):
    """The server answers, and refuses: wrong password, unknown role or database, a missing right."""

    exit_code = 12


class ServerUnfit(UserError):
    """The server answers, and cannot do this: too old, no pgvector, read-only, full, a transaction pooler before it."""

    exit_code = 13


class NotInstalled(UserError):
    """A library is missing that only some need: the sentence says which extra brings it."""

    exit_code = 22
