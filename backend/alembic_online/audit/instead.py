"""What the toolkit would execute for each revision, on the same large tables."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import Connection, pool

from alembic_online.audit.plain import is_applied, stamp
from alembic_online.postgres.catalogue import Difference, compare, read_catalogue
from alembic_online.postgres.connection.engine import revision_engine
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.scratch import Place, scratch_url
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.execution import catalogue_reader
from alembic_online.review.plan.chain import in_chain_scratch
from alembic_online.review.plan.large_tables import LargeTables, Sizes
from alembic_online.review.plan.rehearsal import consenting, rehearsing
from alembic_online.review.plan.steps import up, upgrade
from alembic_online.review.plan.trace import Traced
from alembic_online.revisions.project import Project
from alembic_online.runtime.history import BOOKKEEPING
from alembic_online.runtime.own_thread import outside_of_loops


@dataclass
class Instead:
    """What was seen."""

    statements: dict[str, tuple[Traced, ...]] = field(default_factory=dict)
    """Of each revision that was carried out."""
    refused: dict[str, str] = field(default_factory=dict)
    """Why one was not."""
    end: list[Difference] | None = None
    """How the schema at the end differs from that of plain Alembic; None where the end was not reached."""


def carry_out(
    project: Project,
    place: Place,
    chain: Sequence[Script],
    plain: Mapping[str, Trial],
    told: Callable[[str], None],
    sizes: Sizes,
) -> Instead:
    """Run those of `chain` that plain Alembic could run. One that is refused is left to plain Alembic, and it goes on.

    It ends where that does not lead to the schema that plain Alembic has seen. Tables count as large as `sizes` says.
    """
    instead = Instead()
    fit = [script for script in chain if script.revision in plain and is_applied(plain[script.revision])]

    def work(connection: Connection) -> None:
        trace = LargeTables(scratch_url(connection), consenting(project.policy), {}, sizes=sizes)
        waiting = list(fit)

        def steps() -> Iterator[RevisionStep]:
            while waiting:
                script = waiting[0]
                told(script.revision)
                trace.begin()
                trace.asked = True
                yield up(project.scripts, script)
                trace.asked = False
                instead.statements[script.revision] = tuple(trace.statements)
                del waiting[0]

        while waiting:
            try:
                upgrade(project, rehearsing(project, trace), steps)
            except UserError as error:
                script = waiting.pop(0)
                instead.refused[script.revision] = str(error)
                if not _by_plain_alembic(project, trace.target, script, plain[script.revision]):
                    return
        if fit:
            with catalogue_reader(trace.target) as reader:
                made = read_catalogue(reader, ignore_tables=BOOKKEEPING)
                instead.end = compare(plain[fit[-1].revision].after.catalogue, made)

    in_chain_scratch(project, place, work)
    return instead


def _by_plain_alembic(project: Project, target: DatabaseURL, script: Script, seen: Trial) -> bool:
    """Apply one revision, if nothing of it is there yet; whether the schema is then as it was `seen`."""
    with catalogue_reader(target) as reader:
        if read_catalogue(reader, ignore_tables=BOOKKEEPING) != seen.before.catalogue:
            return False
        reader.commit()
        outside_of_loops(lambda: asyncio.run(_apply(project, target, script)))
        return read_catalogue(reader, ignore_tables=BOOKKEEPING) == seen.after.catalogue


async def _apply(project: Project, target: DatabaseURL, script: Script) -> None:
    def apply(connection: Connection) -> None:
        with EnvironmentContext(project.config, project.scripts) as environment:
            environment.configure(connection=connection, target_metadata=project.metadata)
            context = environment.get_context()
            with Operations.context(context), context.begin_transaction():
                script.module.upgrade()
                stamp(context, script)

    engine = revision_engine(target, application_name="alembic-online audit", poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(apply)
    finally:
        await engine.dispose()
