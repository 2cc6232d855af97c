"""Which revisions are mine: one line of them, from where the chain forks up to one of its heads."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.alembic_seam import dependencies_of, parents_of
from alembic_online.errors import RequestRefused
from alembic_online.review.status import schema_status
from alembic_online.revisions.git import is_rebasing
from alembic_online.revisions.graph import known_ids, unknown_revision
from alembic_online.revisions.head_file import conflicting_heads
from alembic_online.revisions.main_branch import main_branch
from alembic_online.runtime.bookkeeping import VERSION_TABLE
from alembic_online.runtime.history import find_history
from alembic_online.text import listed

_SAY = "Say which is yours: python -m alembic_online rebase REVISION"


@dataclass(frozen=True)
class Branch:
    """`mine`, the oldest first, are to follow `onto`; they follow `base` now, or nothing."""

    mine: list[Script]
    onto: str
    base: str | None

    @property
    def ids(self) -> list[str]:
        """Of mine."""
        return [script.revision for script in self.mine]


def find_branch(scripts: ScriptDirectory, revision: str | None, onto: str | None, main: str | None) -> Branch | None:
    """My branch: that of `revision`, else the one that git's `main` has not, else ours in the conflict of head.txt.

    None where there is one head. Raises `RequestRefused` where nobody says which is mine, or it cannot be moved.
    """
    heads = scripts.get_heads()
    for name in filter(None, (revision, onto)):
        if not any(known.startswith(name) for known in known_ids(scripts)):
            raise unknown_revision(name, scripts)
    if len(heads) < 2:
        return None
    head = _head_above(scripts, revision) if revision else _my_head(scripts, main)
    others = [other for other in heads if other != head]
    if onto is None and len(others) > 1:
        raise RequestRefused(f"There are {len(heads)} heads.", f"Say on which: --onto {' | '.join(others)}")
    below = _head_above(scripts, onto) if onto else others[0]
    if below == head:
        raise RequestRefused(f"{onto} is on the same branch as {head}.", f"Say another: {', '.join(others)}")
    return _checked(scripts, head, below)


def _head_above(scripts: ScriptDirectory, revision: str) -> str:
    known = [script.revision for script in scripts.walk_revisions() if script.revision.startswith(revision)]
    heads = [head for head in scripts.get_heads() if len(known) == 1 and known[0] in _line(scripts, head)]
    if len(heads) != 1:
        raise RequestRefused(
            f"{revision} is on no branch of its own.", "Name one that one head alone has below it: alembic history"
        )
    return heads[0]


def _my_head(scripts: ScriptDirectory, main: str | None) -> str:
    heads = scripts.get_revisions(tuple(scripts.get_heads()))
    landed = main_branch(Path(scripts.dir), main)
    new = landed.new(Path(script.path) for script in heads) if landed else set()
    mine = [script.revision for script in heads if Path(script.path) in new]
    if len(mine) == 1:
        return mine[0]
    sides = conflicting_heads(scripts)
    ours = sides[1 if is_rebasing(Path(scripts.dir)) else 0] if sides else []
    if len(ours) == 1 and ours[0] in scripts.get_heads():
        return ours[0]
    names = listed((script.revision for script in heads), " and ")
    raise RequestRefused(f"Neither git's main branch nor head.txt says which of {names} is yours.", _SAY)


def _checked(scripts: ScriptDirectory, head: str, onto: str) -> Branch:
    theirs = _line(scripts, onto)
    ids = _line(scripts, head) - theirs
    mine = [script for script in scripts.walk_revisions() if script.revision in ids][::-1]
    parents = [parent for script in mine for parent in parents_of(script)]
    if len(parents) > len(mine) or len(set(parents)) < len(parents):
        raise RequestRefused("Your branch is not one line: it has a merge in it, or forks.", "Use alembic merge.")
    for script in scripts.walk_revisions():
        named = {*parents_of(script), *dependencies_of(script)} & ids
        if named and script.revision not in ids:
            raise RequestRefused(
                f"{script.revision}, which is not yours, refers to {listed(sorted(named))}.",
                "What others build on keeps its name: use alembic merge.",
            )
    base = next((parent for parent in parents if parent not in ids), None)
    return Branch(mine, onto, base)


def _line(scripts: ScriptDirectory, head: str) -> set[str]:
    """The revision and all below it by down_revision."""
    found: set[str] = set()
    waiting = [head]
    while waiting:
        revision = waiting.pop()
        if revision not in found:
            found.add(revision)
            waiting += parents_of(scripts.get_revision(revision))
    return found


async def refuse_if_applied(
    connection: AsyncConnection,
    scripts: ScriptDirectory,
    branch: Branch,
    version_table: str = VERSION_TABLE,
    version_schema: str | None = None,
) -> None:
    """Raise `RequestRefused` if one of mine is applied in this database, or left half done in it."""
    status = await schema_status(connection, scripts, version_table, version_schema)
    known = {script.revision for script in scripts.walk_revisions()}
    there = {revision for head in status.current if head in known for revision in _line(scripts, head)}
    there |= await _begun(connection, branch.ids)
    if applied := [revision for revision in branch.ids if revision in there]:
        raise RequestRefused(
            f"{', '.join(applied)} is applied in this database, and would be unknown to it under another name.",
            f"Only here: alembic downgrade {branch.base or 'base'}, then again. Elsewhere too: alembic merge",
        )


async def _begun(connection: AsyncConnection, revisions: Iterable[str]) -> set[str]:
    """Those of which the history's last word is an upgrade that was done, or that committed something."""
    history = await find_history(connection)
    if history is None:
        return set()
    columns = history.c
    last = select(func.max(columns.id)).where(columns.revision.in_(list(revisions))).group_by(columns.revision)
    rows = await connection.execute(
        select(columns.revision, columns.direction, columns.outcome, columns.journal).where(columns.id.in_(last))
    )
    return {row.revision for row in rows if row.journal or (row.direction != "downgrade" and row.outcome == "done")}
