"""What a user can cause is said in a sentence on stderr, and becomes the exit code."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from alembic_online.postgres.errors import UserError
from alembic_online.runtime.current_command import Command

_LINES = 8  # of a message on the terminal


@contextmanager
def plain_errors(command: Command) -> Iterator[None]:
    """Raise `UserError` for what a user can cause; on the command line print it to stderr and exit with its code."""
    try:
        yield
    except BrokenPipeError:
        _leave_quietly()
    except KeyboardInterrupt:
        if command.wants_traceback or not command.from_command_line:
            raise
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
    except Exception as error:
        problem = error if isinstance(error, UserError) else _explain(error, command)
        if problem is None or command.wants_traceback:
            raise
        if not command.from_command_line:
            raise problem from error
        sys.stdout.flush()  # what was said before comes before
        sys.stderr.write("\n".join(str(problem).splitlines()[:_LINES]) + "\n")
        sys.exit(problem.exit_code)


def _leave_quietly() -> None:
    """Whoever read our output (`| head`) has gone; Python would complain once more when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(141)


def _explain(error: Exception, command: Command) -> UserError | None:
    from alembic_online.failures.explanation import explain  # noqa: PLC0415  its imports are for what goes wrong

    return explain(error, command)
