"""Run the revisions for real where nobody is: in a scratch database with a copy of the live schema."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from alembic.util import CommandError
from sqlalchemy import Connection, Text, column, select, table
from sqlalchemy.schema import CreateSchema

from alembic_online.alembic_seam import version_table
from alembic_online.autogenerate.context import Schema, read_schema
from alembic_online.autogenerate.schema_copy import copy_schema
from alembic_online.policy import Policy
from alembic_online.postgres.catalogue import CatalogueObject
from alembic_online.postgres.scratch import Place, in_scratch, read_place, scratch_url
from alembic_online.recipes.database import read_tables
from alembic_online.review.plan.chain import chain_place, install, share_session
from alembic_online.review.plan.trace import Trace, Traced
from alembic_online.revisions.config_origin import ConfigOrigin
from alembic_online.revisions.project import Project
from alembic_online.runtime.bookkeeping import VERSION_TABLE, standing
from alembic_online.runtime.history import BACKFILL_TABLE
from alembic_online.runtime.interrupted_revisions import HalfDone, copy_half_done, read_half_done
from alembic_online.runtime.own_thread import outside_of_loops
from alembic_online.runtime.rehearsal import REHEARSAL, Rehearsal
from alembic_online.runtime.table_facts import TableFacts

_RELATIVE = re.compile(r"(\w+)?([-+]\d+)")


@dataclass(frozen=True)
class Live:
    """What the database at hand is like."""

    schema: Schema
    place: Place
    tables: dict[str, TableFacts]
    heads: tuple[str, ...]
    backfills: tuple[str, ...] = ()
    """Those that have been begun, by name."""
    version_schema: str = "public"
    half_done: tuple[HalfDone, ...] = ()
    """Revisions that stopped in their middle."""


def read_live(connection: Connection, heads: tuple[str, ...], version_table_name: str = VERSION_TABLE) -> Live:
    """Read it; nothing is locked but the catalogue, by ACCESS SHARE."""
    there = standing(connection, BACKFILL_TABLE)
    begun = select(column("name", Text)).distinct().select_from(table(BACKFILL_TABLE, schema=there.schema))
    names = tuple(connection.scalars(begun)) if there.exists else ()
    version_schema = standing(connection, VERSION_TABLE).schema
    schema, tables, half = (
        read_schema(connection, version_table_name),
        read_tables(connection),
        read_half_done(connection),
    )
    return Live(schema, read_place(connection), tables, heads, names, version_schema, half)


def rehearse(project: Project, live: Live, target: str, *, start: str | None = None) -> list[Traced]:
    """Every statement of the way to `target`, from `start` or from where the database is.

    From `start` the schema is made by the chain, else it is a copy of the live one. Raises `UserError`.
    """
    place = chain_place(project, live.place)

    def work(connection: Connection) -> list[Traced]:
        share_session(connection, place)
        trace = Trace(scratch_url(connection), consenting(project.policy), live.tables)
        if start is not None:
            install(connection, project, place)
            run_command(project, trace, "upgrade", start)
            trace.begin()
        else:
            copy_schema(connection, live.schema, live.schema.only(_stands_in_a_schema).catalogue)
            _make_version_table(connection, live.version_schema)
            run_command(project, trace, "stamp", *live.heads or ("base",))
            _end_backfills(connection, live.backfills)
            copy_half_done(connection, live.half_done, live.version_schema)
        run_command(project, trace, "downgrade" if is_below(project, live, target, start) else "upgrade", target)
        return trace.statements

    return in_scratch(project.target, place, work, elsewhere=project.policy.scratch_url)


def run_chain(project: Project, connection: Connection, target: str, way: str = "upgrade") -> None:
    """Upgrade (or downgrade) the scratch database of `connection` to `target`. Raises `UserError`."""
    run_command(project, Trace(scratch_url(connection), consenting(project.policy), {}), way, target)


def is_below(project: Project, live: Live, target: str, start: str | None) -> bool:
    """Whether the way to `target` leads down."""
    name = target.rpartition("@")[2]  # without the label of a branch
    if name in ("", "head", "heads"):
        return False
    here = (start,) if start else live.heads
    above = {script.revision for script in _below(project, here)}
    if relative := _RELATIVE.fullmatch(name):
        begins, count = relative.groups()
        return count.startswith("-") and (not begins or any(revision.startswith(begins) for revision in above))
    if name == "base":
        return True
    try:
        found = project.scripts.get_revision(target)
    except CommandError:  # the upgrade says it in words
        return False
    return found is not None and found.revision in above and found.revision not in here


def _below(project: Project, heads: tuple[str, ...]) -> list[Script]:
    return list(project.scripts.iterate_revisions(heads or "base", "base")) if heads else []


def run_command(project: Project, trace: Trace, name: str, *revisions: str) -> None:
    """Alembic's command by the project's own env.py, with the scratch database in the place of the live one."""
    config = rehearsing(project, trace)
    if name == "stamp":
        outside_of_loops(lambda: command.stamp(config, list(revisions)))
        return
    run: Callable[[Config, str], None] = {"upgrade": command.upgrade, "downgrade": command.downgrade}[name]
    outside_of_loops(lambda: run(config, *revisions))


def rehearsing(project: Project, rehearsal: Rehearsal) -> Config:
    """For a command of Alembic's: with it, env.py finds the rehearsal's database in the place of its own."""
    config = ConfigOrigin.of(project.config).config(io.StringIO())
    config.attributes[REHEARSAL] = rehearsal
    return config


def consenting(policy: Policy) -> Policy:
    """What is destroyed here is empty, and what was edited is not asked about."""
    return replace(policy, production=False, allow_data_loss="true", edited_revisions="warn", changed_by_hand="ignore")


def _make_version_table(connection: Connection, schema: str) -> None:
    """Where it stands in the live database: Alembic would make it in the first schema of the search_path."""
    context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
    connection.execute(CreateSchema(schema, if_not_exists=True))
    version_table(context).create(connection, checkfirst=True)


def _end_backfills(connection: Connection, names: Sequence[str]) -> None:
    """As if all of them were done: the copy has no rows, and what comes after is to be seen as well."""
    from alembic_online.backfill.definition import Backfill  # noqa: PLC0415  only for those who have one
    from alembic_online.backfill.state import done  # noqa: PLC0415

    schema = standing(connection, BACKFILL_TABLE).schema
    for name in names:
        for statement in done(Backfill(name=name, table=name, values={name: name}), schema):
            connection.execute(statement)


def _stands_in_a_schema(entry: CatalogueObject) -> bool:
    return bool(entry.schema)
