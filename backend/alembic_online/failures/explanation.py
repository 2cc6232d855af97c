"""From whatever was raised to the sentence that the user reads, and to its class.

The order of the questions matters: a server that is full or gone is the server's matter, whatever was running; then
come Alembic's own errors; then a failure inside a revision. What none of them knows is a defect of ours, and keeps its
traceback.
"""

from alembic.script.revision import MultipleHeads, RangeNotAncestorError, ResolutionError, RevisionError
from alembic.util import CommandError
from sqlalchemy.exc import ArgumentError, CompileError, InvalidRequestError, SQLAlchemyError

from alembic_online.errors import DatabaseMismatch, RequestRefused, TableBlocked
from alembic_online.failures.revision_failure import explain_revision_failure
from alembic_online.postgres import sqlstate as state
from alembic_online.postgres.connection.failures import explain_statement
from alembic_online.postgres.errors import ServerUnfit, UserError
from alembic_online.revisions.graph import several_heads, unknown_revision
from alembic_online.runtime.current_command import Command


def explain(error: Exception, command: Command) -> UserError | None:
    """The user's error for `error`, or None if it is a defect of ours."""
    place = command.target.place if command.target else "the database"
    source = command.target.source if command.target else "the URL of the connection"
    if isinstance(error, SQLAlchemyError) and (refusal := explain_statement(error, place, source)):
        return refusal
    if isinstance(error, CommandError):
        return _explain_command(error, command)
    if isinstance(error, ArgumentError | InvalidRequestError | CompileError) and command.name in ("revision", "check"):
        return RequestRefused(f"The models cannot be read: {str(error).splitlines()[0]}", "Correct the models.")
    return explain_revision_failure(error, command.scripts, place) or _explain_own_statement(error, place)


def _explain_own_statement(error: Exception, place: str) -> UserError | None:
    """For what PostgreSQL says to a statement of Alembic or of ours, not of a revision."""
    says = state.server_message(error)
    match state.sqlstate(error):
        case None:
            return None
        case state.LOCK_NOT_AVAILABLE | state.QUERY_CANCELED | state.DEADLOCK_DETECTED:
            remedy = "See who is in the way: python -m alembic_online blockers\nThen run the same command again."
            return TableBlocked(f"Stopped before any revision began: {says} ({place}).", remedy)
    return ServerUnfit(
        f"PostgreSQL refused what the command asks of it: {says} ({place}).", "See: alembic --raiseerr ..."
    )


def _explain_command(error: CommandError, command: Command) -> UserError:
    match next((cause for cause in state.causes(error) if isinstance(cause, RevisionError)), None):
        case MultipleHeads():
            return several_heads(command.scripts)
        case ResolutionError(argument=name):
            return _unknown_revision(name, command)
        case RangeNotAncestorError():
            return RequestRefused(
                f"{str(error).rstrip('.')}.",
                "An upgrade goes up the chain and a downgrade down it: see alembic history --indicate-current",
            )
    if "not up to date" in str(error):
        if len(command.scripts.get_heads()) > 1:
            return several_heads(command.scripts)
        return DatabaseMismatch(
            "The database is not at the newest revision, so it cannot be compared with the models.",
            "Run: alembic upgrade head, then the same command again.",
        )
    return _unreachable_revision(str(error).rstrip("."), command)


def _unreachable_revision(says: str, command: Command) -> RequestRefused:
    """For a relative revision (-1, +2, head-3) that the chain does not reach."""
    place = ", ".join(command.heads_seen) or "base"
    if "Ambiguous walk" in says:
        return RequestRefused(
            f"From {place} there are several ways, so a relative revision is not enough.",
            "Name the revision to go to: alembic history lists them.",
        )
    if "Relative revision" in says:
        return RequestRefused(
            f"{says}: the database is at {place}, and the chain ends before that.",
            "Nothing was changed; see: alembic history --indicate-current",
        )
    return RequestRefused(f"{says}.", "See: alembic history")


def _unknown_revision(name: str, command: Command) -> UserError:
    if name in command.heads_seen:
        return DatabaseMismatch(
            f"The database is at revision {name!r}, which is not among the files of this code.",
            "The deployed code is older than the database: deploy the newer code, or bring the missing file back.\n"
            "If that revision is gone for good: alembic stamp --purge <revision that the database equals>",
        )
    return unknown_revision(name, command.scripts)
