"""What the toolkit would execute for each revision, on the same large tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import Connection

from alembic_online.postgres.errors import UserError
from alembic_online.postgres.scratch import Place, scratch_url
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.plan.chain import in_chain_scratch
from alembic_online.review.plan.large_tables import LargeTables
from alembic_online.review.plan.rehearsal import consenting, rehearsing
from alembic_online.review.plan.steps import up, upgrade
from alembic_online.review.plan.trace import Traced
from alembic_online.revisions.project import Project


@dataclass
class Instead:
    """What was seen."""

    statements: dict[str, tuple[Traced, ...]] = field(default_factory=dict)
    """Of each revision that was carried out."""
    refused: dict[str, str] = field(default_factory=dict)
    """Why one was not."""


def carry_out(
    project: Project, place: Place, chain: Sequence[Script], plain: Mapping[str, Trial], told: Callable[[str], None]
) -> Instead:
    """Run those of `chain` that plain Alembic could run. One that is refused ends it."""
    instead = Instead()
    waiting = [
        script
        for script in chain
        if script.revision in plain and not plain[script.revision].failed.startswith("upgrade:")
    ]

    def work(connection: Connection) -> None:
        trace = LargeTables(scratch_url(connection), consenting(project.policy), {})

        def steps() -> Iterator[RevisionStep]:
            for script in waiting:
                told(script.revision)
                trace.begin()
                trace.asked = True
                yield up(project.scripts, script)
                trace.asked = False
                instead.statements[script.revision] = tuple(trace.statements)

        try:
            upgrade(project, rehearsing(project, trace), steps)
        except UserError as error:
            failing = next(script for script in waiting if script.revision not in instead.statements)
            instead.refused[failing.revision] = str(error)

    in_chain_scratch(project, place, work)
    return instead
