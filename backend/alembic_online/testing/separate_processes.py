"""Each revision by a process of its own, as when each was deployed alone, in which nothing of the others has run."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle

from alembic_online.postgres.catalogue import Catalogue, Difference, compare
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.review.plan.rehearsal import consenting, rehearsing
from alembic_online.review.plan.steps import up, upgrade
from alembic_online.revisions.project import Project
from alembic_online.testing.other_process import OtherProcess, ProcessFailed
from alembic_online.testing.round_trip import chain
from alembic_online.testing.sandbox import Elsewhere, Ground


def by_processes(
    ground: Ground, made: Mapping[str, Catalogue], others: Sequence[OtherProcess]
) -> Iterator[tuple[str, str]]:
    """Each revision that does something else than in one process, where it `made` that, with what it does.

    The processes take turns, so neighbours have other seeds.
    """
    known: set[Difference] = set()
    for other, script in zip(cycle(others), chain(ground.project), strict=False):
        try:
            other.ask(partial(_upgrade, revision=script.revision, target=ground.target))
        except ProcessFailed as error:
            yield script.revision, f"in a process of its own it fails: {error}"
            return
        there = ground.catalogue()
        differences = set(compare(made.get(script.revision, there), there))
        for difference in sorted(differences - known, key=str):
            yield script.revision, f"in a process of its own it makes another schema: {difference}"
        known |= differences


def _upgrade(project: Project, revision: str, target: DatabaseURL) -> None:
    config = rehearsing(project, Elsewhere(target, consenting(project.policy)))
    step = up(project.scripts, project.scripts.get_revision(revision))
    upgrade(project, config, lambda: iter([step]))
