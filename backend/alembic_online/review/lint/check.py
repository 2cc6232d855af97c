"""Which revisions are looked at, and what the rules find."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from alembic.script.revision import MultipleHeads
from alembic.util import CommandError

from alembic_online.alembic_seam import version_folders
from alembic_online.errors import RequestRefused
from alembic_online.postgres.scratch import Place
from alembic_online.releases.phase import below, said_phase, says_phase, steps_of
from alembic_online.review.lint.allowances import ALLOWANCE, less_allowed
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.execution import try_out
from alembic_online.review.lint.main_branch_models import mapped
from alembic_online.review.lint.recordings import statements_beside
from alembic_online.review.lint.replay import Broken, replay
from alembic_online.review.lint.rule import Finding, Mapped, Revision
from alembic_online.review.lint.rules import RULES, deleted
from alembic_online.review.lint.source import Source
from alembic_online.revisions.graph import known_ids, several_heads, unknown_revision
from alembic_online.revisions.main_branch import MainBranch
from alembic_online.revisions.project import Project
from alembic_online.revisions.squashed import archive

_RELATIVE = re.compile(r"[-+]\d+$")
_SAY = "Say which to look at: python -m alembic_online lint all, or lint REVISION"
CODES = frozenset(rule.code for rule in (*RULES, ALLOWANCE))


def choose(project: Project, asked: str, applied: Sequence[str], main: MainBranch | None = None) -> list[Script]:
    """The revisions that `asked` names, oldest first: `005_x`, `004_y:head` (what comes after 004_y), or `all`.

    "" chooses those that the main branch does not have or has otherwise; without one those that are not `applied`.
    Raises `RequestRefused` for a name that is not there.
    """
    scripts = list(project.scripts.walk_revisions())[::-1]
    if asked == "all":
        return scripts
    if asked:
        chosen = _named(project, asked)
        return [script for script in scripts if script.revision in chosen]
    if main is None:
        if strangers := sorted(set(applied) - known_ids(project.scripts)):
            raise RequestRefused(f"The database is at {', '.join(strangers)}, which this code does not have.", _SAY)
        below = {script.revision for script in project.scripts.iterate_revisions(tuple(applied) or "base", "base")}
        return [script for script in scripts if script.revision not in below]
    places = {script.revision: _places(project.scripts, script) for script in scripts}
    new = main.new(path for paths in places.values() for path in paths)
    edited = main.edited(paths[0] for paths in places.values() if len(paths) == 1)
    return [script for script in scripts if edited & {*(paths := places[script.revision])} or new >= {*paths}]


def _places(scripts: ScriptDirectory, script: Script) -> list[Path]:
    """Where the file may have landed: of one that was squashed, beside the others too."""
    path = Path(script.path)
    squashed = path.parent == archive(scripts)
    return [path, *(folder / path.name for folder in version_folders(scripts) if squashed)]


def _named(project: Project, asked: str) -> set[str]:
    lower, colon, upper = asked.partition(":")
    if not colon:
        return set(_ids(project, asked))
    above, below = _ids(project, upper or "heads"), _ids(project, lower or "base")
    if not above:
        return set()
    taken = {script.revision for each in below for script in project.scripts.iterate_revisions(each, "base")}
    return {script.revision for script in project.scripts.iterate_revisions(above, "base")} - taken


def _ids(project: Project, name: str) -> tuple[str, ...]:
    """The revisions of a name: an id, the beginning of one, a label, head, heads; none for base."""
    if _RELATIVE.search(name):
        raise RequestRefused(
            f"{name} is relative to a database, and lint looks at files.", "Name the revision: alembic history"
        )
    try:
        return tuple(script.revision for script in project.scripts.get_revisions(name) if script is not None)
    except CommandError as error:
        if isinstance(error.__cause__, MultipleHeads):
            raise several_heads(project.scripts) from error
        raise unknown_revision(name, project.scripts) from error


def check(
    project: Project,
    place: Place,
    chosen: Sequence[Script],
    main: MainBranch | None = None,
    edited: Sequence[str] = (),
) -> list[Finding]:
    """What is wrong with them. `edited` are names of files that were otherwise when this database ran them.

    Raises `UserError` where no scratch database can be had.
    """
    trials = try_out(project, place, chosen)
    new = main.new(Path(script.path) for script in chosen) if main else {Path(script.path) for script in chosen}
    beside = statements_beside(project, main, [script for script in chosen if Path(script.path) in new])
    looked_at = _revisions(project, main, chosen, trials, set(edited), replay(project, place, beside))
    return [finding for revision in looked_at for finding in findings_of(revision)]


def missing(project: Project, main: MainBranch) -> list[Finding]:
    """Revisions that have landed and that this branch no longer has; those that were squashed are still known."""
    return [
        Finding(revision, name, 1, deleted.RULE, f"{revision} is not there any more, and {main.name} has it.")
        for revision, name in main.gone(version_folders(project.scripts), known_ids(project.scripts))
    ]


def findings_of(revision: Revision) -> list[Finding]:
    """What the rules say of one revision, less what it allows itself."""
    return list(less_allowed(revision, list(_broken(revision)), CODES))


def _broken(revision: Revision) -> Iterator[Finding]:
    for rule in RULES:
        for found in dict.fromkeys(rule.check(revision)):
            yield Finding(revision.revision, revision.source.path.name, found.line, rule, found.what, found.remedy)


def _revisions(
    project: Project,
    main: MainBranch | None,
    chosen: Sequence[Script],
    trials: dict[str, Trial],
    applied_otherwise: set[str],
    replayed: Mapping[str, Sequence[Broken]],
) -> Iterator[Revision]:
    paths = [Path(script.path) for script in chosen]
    edited = main.edited(paths) if main else set()
    undecided = main.new(paths) if main else set(paths)
    expected = _phase_expected(project, undecided if main else set()) if project.policy.expand_contract else set()

    @cache
    def mapped_there() -> Mapped | None:
        return mapped(main, Path.cwd()) if main else None

    for script, path in zip(chosen, paths, strict=True):
        where = f"that {main.name} has" if main and path in edited else ""
        if path in undecided and path.name in applied_otherwise:
            where = "that this database ran"
        yield Revision(
            script.revision,
            _parents(script),
            Source.read(path),
            trials.get(script.revision),
            where,
            frozenset(getattr(script.module, "direct", {})),
            mapped_there,
            said_phase(script) if script.revision in expected else None,
            script.revision in expected,
            replayed=tuple(replayed.get(script.revision, ())),
        )


def _phase_expected(project: Project, new: Collection[Path]) -> set[str]:
    """The new ones, and all from the first that says its phase on: older ones have landed without."""
    steps, scripts = steps_of(project.scripts), list(project.scripts.walk_revisions())
    saying = {each.revision for each in scripts if says_phase(each)}
    return {
        each.revision
        for each in scripts
        if Path(each.path) in new or not saying.isdisjoint(below(steps, (each.revision,)))
    }


def _parents(script: Script) -> tuple[str, ...]:
    down = script.down_revision
    return (down,) if isinstance(down, str) else tuple(down or ())
