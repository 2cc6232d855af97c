"""Before a stamp: does the database hold what the revision makes? A wrong stamp is found when nobody remembers it.

The chain is run up to that revision in a scratch database, as `drift` does it. Tables that no model and no revision
knows are somebody else's, and no matter here.
"""

import logging
import re
from collections.abc import Sequence

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from alembic_online.alembic_seam import put_back, with_ancestors, with_descendants
from alembic_online.autogenerate.context import Schema
from alembic_online.autogenerate.scope import comparable
from alembic_online.errors import DatabaseMismatch, RequestRefused
from alembic_online.policy import Policy
from alembic_online.postgres.catalogue import Difference, Identity, Kind, compare
from alembic_online.review.drift import chain_schema, seen_from_here
from alembic_online.review.plan.rehearsal import Live, read_live
from alembic_online.revisions.named_schemas import text_of_revisions
from alembic_online.revisions.project import Project
from alembic_online.runtime.current_command import Command
from alembic_online.runtime.rehearsal import REHEARSAL
from alembic_online.text import counted, listed

log = logging.getLogger("alembic.runtime.migration")

UNPROVEN = "unproven"
"""The argument of `alembic -x` that says why a stamp is true although it looks wrong."""
PROVEN = "safety.proven"
"""The attribute of a Config that says that it was compared just now."""
_TOLD = 5  # of the differences, in an error's message


def check_stamp(run: MigrationContext, metadata: MetaData, command: Command, policy: Policy) -> str:
    """Raise `DatabaseMismatch` for a stamp that is not true; returns why it is true where nobody has compared.

    At base nothing is promised, and a rehearsal stamps what it has made.
    """
    environment, scripts = command.environment, command.scripts
    attributes = environment.config.attributes
    if attributes.get(REHEARSAL) is not None or attributes.get(PROVEN):
        return ""
    heads = heads_after(scripts, command)
    reason = environment.get_x_argument(as_dictionary=True).get(UNPROVEN)
    if reason is not None:
        if not (isinstance(reason, str) and reason.strip()):
            raise RequestRefused(f"-x {UNPROVEN} gives no reason.", f'Say why: -x {UNPROVEN}="because ..."')
        return reason.strip()
    if not heads or command.target is None:
        return ""
    assert run.connection is not None, "only a script has none"
    project = Project(environment.config, scripts, metadata, command.target.dsn, policy)
    live = read_live(run.connection, heads)
    differences = _compared(project, live, environment)
    if differences:
        told = [*map(str, differences[:_TOLD])]
        if len(differences) > _TOLD:
            told.append(f"and {counted(len(differences) - _TOLD, 'place')} more")
        raise DatabaseMismatch(
            f"The database is not what {listed(heads, ' and ')} makes: {'; '.join(told)}.",
            "Which revision it equals: alembic-online adopt\n"
            f'To stamp it all the same: alembic -x {UNPROVEN}="because ..." stamp {" ".join(heads)}',
        )
    return ""


def heads_after(scripts: ScriptDirectory, command: Command) -> tuple[str, ...]:
    """Where the stamp will have the database; empty for base, and for what Alembic is going to refuse."""
    wanted = [name for name in command.destination if name != "base"]
    named = {script.revision for name in wanted for script in scripts.get_revisions(name) if script is not None}
    kept = set() if command.purges or "base" in command.destination else set(command.heads_seen)
    for revision in named:
        script = scripts.get_revision(revision)
        kept -= with_ancestors(scripts, [revision]) | with_descendants(scripts, script)
    below = {each for revision in named for each in with_ancestors(scripts, [revision]) - {revision}}
    return tuple(sorted((named - below) | kept))


def _compared(project: Project, live: Live, environment: EnvironmentContext) -> Sequence[Difference]:
    """What differs; nothing, and a warning, where the chain cannot be run beside the database."""
    try:
        intended = chain_schema(project, live.place, live.heads)
    except (Exception, SystemExit) as error:  # of somebody's env.py and revisions: whatever they raise
        what = next(iter(str(error).splitlines()), type(error).__name__)
        log.warning("The database was not compared with what %s makes: %s", listed(live.heads, " and "), what)
        return ()
    finally:
        put_back(environment)
    here, there = comparable(live.schema, intended, project.metadata, project.scripts, by_models=False)
    foreign = foreign_tables(live.schema, project.metadata, project.scripts)
    differences = seen_from_here(compare(here.catalogue, there.catalogue))
    return [each for each in differences if each.identity not in foreign]


def foreign_tables(live: Schema, metadata: MetaData, scripts: ScriptDirectory) -> set[Identity]:
    """The tables that are in no model, and that no revision file mentions."""
    text = text_of_revisions(scripts)
    models = {(table.schema or live.default, table.name) for table in metadata.tables.values()}
    tables = [entry for entry in live.catalogue.values() if entry.kind is Kind.TABLE]
    return {
        entry.identity
        for entry in tables
        if (entry.schema, entry.name) not in models and not re.search(rf"\b{re.escape(entry.name)}\b", text)
    }
