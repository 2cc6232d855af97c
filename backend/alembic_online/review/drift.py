"""Drift: what a database has, and what its revision should have made of it, also below head.

The chain is run up to the database's own revision in a scratch database, and the two catalogues are compared.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from alembic_online.autogenerate.context import Context, Schema, read_schema
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.include_filters import IncludeFilters
from alembic_online.autogenerate.schema_copy import execute_lines
from alembic_online.autogenerate.scope import comparable
from alembic_online.errors import DatabaseMismatch
from alembic_online.postgres.catalogue import Difference, compare
from alembic_online.postgres.scratch import Place
from alembic_online.review.plan.chain import in_chain_scratch, move_extensions
from alembic_online.review.plan.rehearsal import Live, run_chain
from alembic_online.review.renamed_by_half import renamed_by_half, taken_back
from alembic_online.revisions.project import Project
from alembic_online.runner.data_loss import losses

# What a type change that is half done fills beside the old column, kept in step by a trigger (`recipes/shadow_column`).
_BESIDE = """
    SELECT 'column ' || a.attrelid::regclass || '.' || quote_ident(a.attname) FROM pg_trigger t
    JOIN pg_attribute a ON a.attrelid = t.tgrelid AND t.tgname = '~' || a.attname AND NOT a.attisdropped
"""


@dataclass(frozen=True)
class Drift:
    """How to get from the database to what its revision makes: in words, and in SQL."""

    differences: list[Difference]
    repair: str
    """Statements, each with a semicolon; empty if nothing differs."""


def find_drift(project: Project, live: Live) -> Drift:
    """Compare. Raises `DatabaseMismatch` for a database in which no migration has run, `CannotWrite`."""
    if not live.heads:
        raise DatabaseMismatch(
            "The database is at no revision, so nothing says what it should be.",
            "Run: alembic upgrade head, or alembic stamp the revision that it equals.",
        )
    intended = chain_schema(project, live.place, live.heads)
    here, there = _ours(project, live.schema, intended)
    differences = seen_from_here(compare(here.catalogue, there.catalogue))
    if not differences:
        return Drift([], "")
    lines = []
    if renamed := renamed_by_half(project, live, intended):
        lines = [f"{each.back};" for each in renamed]
        undone = taken_back(project, live, renamed)
        here, there = _ours(project, undone.schema, intended)
    return Drift(differences, "\n".join([*lines, as_sql(here, there)]).rstrip())


def _ours(project: Project, live: Schema, intended: Schema) -> tuple[Schema, Schema]:
    here, there = comparable(live, intended, project.metadata, project.scripts, by_models=False)
    filters = IncludeFilters.of(dict(project.session.filters), project.metadata, live.default)
    return (here, there) if filters is None else filters.without_excluded(here, there)


def seen_from_here(differences: Iterable[Difference]) -> list[Difference]:
    """In the words of who has to mend the database: what is missing, and what should not be there."""
    return [_as_seen_from_here(each) for each in differences]


def _as_seen_from_here(difference: Difference) -> Difference:
    match difference.change:
        case "added":
            return replace(difference, change="missing")
        case "removed":
            return replace(difference, change="should not be there")
    return difference


def marked(connection: Connection, repair: str) -> str:
    """`repair` with a remark above each line that destroys rows of this database, or values of a column, and how many.

    A column that is filled beside another, whose values it has, is no loss.
    `connection` is in autocommit; it counts in a transaction that only reads.
    """
    lines: list[str] = []
    connection.exec_driver_sql("BEGIN READ ONLY")
    try:
        beside = set(connection.exec_driver_sql(_BESIDE).scalars())
        for line in repair.splitlines():
            if line.startswith(("DROP ", "ALTER TABLE ")):
                lines += [f"-- Destroys {loss}" for loss in losses(connection, line) if loss.what not in beside]
            lines.append(line)
    finally:
        connection.exec_driver_sql("ROLLBACK")
    return "\n".join(lines)


def chain_schema(project: Project, place: Place, heads: tuple[str, ...]) -> Schema:
    """What the chain makes of an empty database, up to `heads`."""

    def work(connection: Connection) -> Schema:
        for head in heads:
            run_chain(project, connection, head)
        move_extensions(connection, place.extensions)
        return read_schema(connection)

    return in_chain_scratch(project, place, work)


def as_sql(here: Schema, there: Schema) -> str:
    """The way from one schema to the other as SQL, as `alembic upgrade --sql` would write it."""
    written = io.StringIO()
    options = {"as_sql": True, "output_buffer": written, "literal_binds": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    execute_lines(context, plan(Context(here, there)))
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines() if line)
