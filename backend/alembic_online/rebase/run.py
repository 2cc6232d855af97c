"""The rebase itself: look at both branches, rename mine, and try the new chain up and down."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from alembic_online.autogenerate.context import Schema, read_schema
from alembic_online.postgres.catalogue import compare, describe
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.scratch import Place
from alembic_online.rebase.branch import Branch
from alembic_online.rebase.clashes import clashes
from alembic_online.rebase.names import forget, move, new_ids, renamed
from alembic_online.review.drift import chain_schema
from alembic_online.review.plan.chain import in_chain_scratch, move_extensions
from alembic_online.review.plan.rehearsal import run_chain
from alembic_online.revision_file import taken
from alembic_online.revisions.head_file import head_file, write_heads
from alembic_online.revisions.project import Project, open_project


@dataclass
class Rebased:
    """What was done (`names`: old id to new, `files`), what is still to do, and what is wrong."""

    names: dict[str, str]
    files: list[Path] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    """Files that still say an old id somewhere."""
    clashes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What the round trip found."""
    undone: bool = False
    """Everything is as it was: a round trip that fails changes nothing, unless it is told to."""


def rebase(project: Project, branch: Branch, place: Place, *, keep: bool = False) -> Rebased:
    """Put mine on top of `branch.onto`; undo it if the round trip then fails, but with `keep`.

    Raises `UserError` before anything is changed; afterwards, it is a problem.
    """
    head = branch.ids[-1]
    ends = [(branch.base,) if branch.base else (), (head,), (branch.onto,)]
    base, mine, theirs = (chain_schema(project, place, heads) for heads in ends)
    others = taken(project.scripts) - {*branch.ids, *(Path(script.path).stem for script in branch.mine)}
    done = Rebased(new_ids(branch.ids, others), clashes=clashes(base, mine, theirs))
    before = {path: path.read_bytes() for path in _touched(project, branch) if path.exists()}
    _write(branch, done)
    try:
        moved = open_project(project.config)
        write_heads(moved.scripts)
        done.mentions = _mentions(moved, done.names)
        stops = (branch.base or "base", branch.onto, done.names[head])
        trip = partial(_round_trip, moved, place, stops, (base, theirs))
        done.problems = in_chain_scratch(moved, place, trip)
    except UserError as error:
        done.problems = [error.problem]
    if done.problems and not keep:
        _undo(project, before, done)
    return done


def _touched(project: Project, branch: Branch) -> list[Path]:
    return [head_file(project.scripts), *(Path(script.path) for script in branch.mine)]


def _undo(project: Project, before: Mapping[Path, bytes], done: Rebased) -> None:
    for path in (head_file(project.scripts), *done.files):
        path.unlink(missing_ok=True)
        forget(path)
    for path, text in before.items():
        path.write_bytes(text)
    done.undone = True


def _write(branch: Branch, done: Rebased) -> None:
    parents = [branch.onto, *(done.names[revision] for revision in branch.ids)]
    written = [
        (Path(script.path), script.revision, renamed(_read(script.path), script.revision, parent, done.names))
        for script, parent in zip(branch.mine, parents, strict=False)
    ]
    # The newest first: a new name may be the old one of the next.
    done.files = [move(path, old, done.names[old], source) for path, old, source in reversed(written)][::-1]


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _mentions(project: Project, names: Mapping[str, str]) -> list[str]:
    old = [name for name, new in names.items() if name != new]
    said = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, old))})(?!\w)") if old else None
    files = [*(Path(script.path) for script in project.scripts.walk_revisions()), *project.folder.glob("schema.*")]
    return sorted(path.name for path in files if said and said.search(path.read_text(encoding="utf-8")))


def _round_trip(
    project: Project, place: Place, stops: tuple[str, str, str], wanted: tuple[Schema, Schema], scratch: Connection
) -> list[str]:
    """Theirs up, mine up, mine down, theirs down, all up again: what is not as it was, in words."""
    base, onto, head = stops

    def go(way: str, target: str) -> Schema:
        run_chain(project, scratch, target, way)
        move_extensions(scratch, place.extensions)
        return read_schema(scratch)

    def differs(what: str, there: Schema, wished: Schema) -> list[str]:
        words = describe(compare(wished.catalogue, there.catalogue))
        return [f"{what} left something else: {line}" for line in words.splitlines()]

    go("upgrade", onto)
    top = go("upgrade", head)
    # Each step only if the one before left what it should: else it fails on that, and tells less of it.
    return (
        differs(f"the downgrade to {onto}", go("downgrade", onto), wanted[1])
        or differs(f"the downgrade to {base}", go("downgrade", base), wanted[0])
        or differs("the second upgrade", go("upgrade", head), top)
    )
