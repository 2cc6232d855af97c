"""What a migration refuses, each one plain sentence and the next step.

The refusals of servers and networks are in `alembic_online.postgres.errors`.

    SafetyError
    ├── BrokenChain         exit 14   the revision files do not make one chain: heads, ids, parents, a file that fails
    ├── DatabaseMismatch    exit 15   database and code are not at a common point: unknown revision, no version table
    ├── RequestRefused      exit 16   what was asked for is not there or not allowed: unknown name, empty message
    ├── TableBlocked        exit 17   a lock or a statement was not granted its time
    ├── RevisionFailed      exit 18   the revision's own statement or code failed, or left something unfinished
    ├── DataLoss            exit 19   a downgrade would destroy rows, and nobody said that it may
    ├── ModelsDiffer        exit 20   `alembic check`: models and database are not the same
    ├── BackfillPending     exit 21   a backfill is to be run by its command before the revision can go on
    ├── ContractWaits       exit 23   a contract step waits until the releases before it are gone
    └── Stopped             exit 130 (Ctrl-C), 143 (SIGTERM)   somebody told the process to stop, and it did
"""

from alembic_online.postgres.errors import UserError


class SafetyError(UserError):
    """The base of all that the toolkit refuses."""


class BrokenChain(SafetyError):
    """The files in `versions/` do not make one chain of revisions.

    Several heads, two files with one id, a missing parent, a cycle, or a file that does not import.
    """

    exit_code = 14


class DatabaseMismatch(SafetyError):
    """Database and code are not at a common point.

    The database has a revision that this code does not have, or tables but no revision; or autogenerate is run on a
    database that is behind.
    """

    exit_code = 15


class RequestRefused(SafetyError):
    """What was asked for is not there, or not allowed.

    An unknown revision (the nearest names are said), an empty message, settings that contradict each other.
    """

    exit_code = 16


class TableBlocked(SafetyError):
    """Something did not get its turn in time.

    A table was not free within the limit (by whom is said), a statement took too long, or another migration does not
    end.
    """

    exit_code = 17


class RevisionFailed(SafetyError):
    """A statement or a line of Python in a revision failed, or it leaves something unfinished.

    Said are file, line, operation, table, and the rows in the way.
    """

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


class ContractWaits(SafetyError):
    """A release is connected that was built for another schema, and the next step takes something from it.

    What comes before that step is applied. With MIGRATION_CONTRACT_WAITS=pass, the default, the exit code of an upgrade
    is 0. The same for the downgrade of an expand while a release that was built for it is connected: always 23.
    """

    exit_code = 23


class ContractPostponed(ContractWaits):
    """The same before a contract, where MIGRATION_CONTRACT_WAITS=pass and the new release can run without it."""

    exit_code = 0


class BackfillPending(SafetyError):
    """A backfill is not complete, and takes too long for an upgrade; what is done of it is kept."""

    exit_code = 21
