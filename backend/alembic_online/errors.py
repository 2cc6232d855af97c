"""What a migration refuses, each one plain sentence and the next step.

The refusals of servers and networks are in `alembic_online.postgres.errors`.

    SafetyError
    ├── BrokenChain         exit 14   the revision files do not make one chain: heads, ids, parents, a file that fails
    ├── DatabaseMismatch    exit 15   database and code are not at a common point: unknown revision, no version table
    ├── RequestRefused      exit 16   what was asked for is not there or not allowed: unknown name, empty message
    ├── TableBlocked        exit 17   a lock or a statement was not granted its time; nothing was changed
    ├── RevisionFailed      exit 18   the revision's own statement or code failed, or left something unfinished
    ├── DataLoss            exit 19   a downgrade would destroy rows, and nobody said that it may
    ├── ModelsDiffer        exit 20   `alembic check`: models and database are not the same
    ├── BackfillPending     exit 21   a backfill is to be run by its command before the revision can go on
    └── Stopped             exit 130 (Ctrl-C), 143 (SIGTERM)   somebody told the process to stop, and it did
"""

from alembic_online.postgres.errors import UserError


class SafetyError(UserError):
    """The base of all that the toolkit refuses."""


class BrokenChain(SafetyError):
    """The files in `versions/` do not make one chain of revisions."""

    exit_code = 14


class DatabaseMismatch(SafetyError):
    """The database is at a point that this code does not know, or not at the one the command needs."""

    exit_code = 15


class RequestRefused(SafetyError):
    """The command asks for a revision that is not there, or for something that the rules do not allow."""

    exit_code = 16


class TableBlocked(SafetyError):
    """A lock was not granted, or a statement not finished, within its time; nothing was changed."""

    exit_code = 17


class RevisionFailed(SafetyError):
    """A statement or a line of Python in a revision failed."""

    exit_code = 18


class DataLoss(SafetyError):
    """A downgrade would destroy rows, and nobody said that it may; nothing was changed."""

    exit_code = 19


class Stopped(SafetyError):
    """Told to stop; the running statement was cancelled. The exit code is the shell's for the signal."""

    exit_code = 143


class ModelsDiffer(SafetyError):
    """`alembic check` found that models and database are not the same; `words` say what, a line each."""

    exit_code = 20

    def __init__(self, problem: str, remedy: str, words: list[str]) -> None:
        super().__init__(problem, remedy)
        self.words = words


class BackfillPending(SafetyError):
    """A backfill is not complete, and takes too long for an upgrade; what is done of it is kept."""

    exit_code = 21
