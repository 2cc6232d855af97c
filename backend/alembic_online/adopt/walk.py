"""What each revision makes: the chain is walked once, on a scratch database."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import Connection, Engine

from alembic_online.alembic_seam import parents_of
from alembic_online.autogenerate.context import Schema, read_schema
from alembic_online.postgres.catalogue.version import read_version
from alembic_online.postgres.connection.engine import one_connection
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.scratch import Place, scratch_url
from alembic_online.review.plan.chain import in_chain_scratch
from alembic_online.review.plan.rehearsal import consenting, rehearsing
from alembic_online.review.plan.steps import up, upgrade
from alembic_online.review.plan.trace import Trace
from alembic_online.revisions.project import Project


@dataclass(frozen=True)
class Made:
    """What the revisions up to these heads make of an empty database."""

    heads: tuple[str, ...]
    schema: Schema
    version: str
    """Of the catalogue: where nothing was written to it, it is not read again."""


@dataclass
class Walk:
    """All of them, from the empty database on."""

    made: list[Made] = field(default_factory=list)
    failed: str = ""
    """Why it ends before the last revision, in words."""


def walk(project: Project, place: Place, only: Collection[str] | None = None) -> Walk:
    """Upgrade revision by revision, or by these alone. One that fails ends it."""
    found = Walk()
    chain = [each for each in list(project.scripts.walk_revisions())[::-1] if only is None or each.revision in only]

    def work(scratch: Connection) -> None:
        # Read by another connection: the scratch database's own waits in a greenlet, and the steps run in a thread.
        engine = one_connection(scratch_url(scratch))
        trace = Trace(scratch_url(scratch), consenting(project.policy), {})
        try:
            found.made.append(_read(engine))
            upgrade(project, rehearsing(project, trace), lambda: _steps(project, engine, chain, found.made))
        except UserError as error:
            found.failed = error.problem
        finally:
            engine.dispose()

    in_chain_scratch(project, place, work)
    return found


def _steps(project: Project, engine: Engine, chain: list[Script], made: list[Made]) -> Iterator[RevisionStep]:
    heads: set[str] = set()
    for script in chain:
        yield up(project.scripts, script)
        heads = (heads - {*parents_of(script)}) | {script.revision}
        made.append(_read(engine, tuple(sorted(heads)), made[-1]))


def _read(engine: Engine, heads: tuple[str, ...] = (), before: Made | None = None) -> Made:
    with engine.begin() as connection:
        version = read_version(connection)
        same = before is not None and before.version == version
        return Made(heads, before.schema if same and before else read_schema(connection), version)
