"""Does the database fit the code? The version table on one side, the revision files on the other, of any project."""

from dataclasses import dataclass, replace
from enum import StrEnum

from alembic.script import ScriptDirectory
from sqlalchemy import String, Text, cast, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.errors import DatabaseMismatch
from alembic_online.releases.stored import known_steps
from alembic_online.releases.window import why_not
from alembic_online.revisions.graph import known_ids
from alembic_online.runtime.bookkeeping import VERSION_TABLE
from alembic_online.text import counted, listed


class SchemaState(StrEnum):
    """Where the database stands, seen from the code."""

    READY = "ready"
    BEHIND = "behind"
    AHEAD = "ahead"
    UNVERSIONED = "unversioned"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """What the database holds (`current`), what the code wants (`heads`), how many revisions lie between (`behind`)."""

    state: SchemaState
    current: tuple[str, ...]
    heads: tuple[str, ...]
    behind: int
    sentence: str

    def refuse_if_ahead(self) -> None:
        """Raise `DatabaseMismatch` for a database whose revision this code does not have: nothing can be said of it."""
        if self.state is SchemaState.AHEAD:
            problem, _, remedy = self.sentence.partition(". ")
            raise DatabaseMismatch(f"{problem}.", remedy)


async def schema_status(
    connection: AsyncConnection,
    scripts: ScriptDirectory,
    version_table: str = VERSION_TABLE,
    version_schema: str | None = None,
    *,
    expand_contract: bool = False,
) -> SchemaStatus:
    """Compare the version table, without a schema that which the search_path leads to, with `scripts`.

    Two queries, which only read.

    An unknown revision in the database is `AHEAD`, whatever else it holds; `READY` means that nothing is left to apply.
    With `expand_contract`, a database that the code can serve all the same is `READY` too (`releases.window`); only
    where it is not at the heads, a third query reads the phases that are kept there.
    `scripts` should be loaded already (`alembic_online.revisions.graph.load_chain`), because loading imports every
    revision file.
    """
    # Asked first, because selecting from a table that is not there would abort the caller's transaction.
    if await connection.scalar(_REGCLASS, {"name": version_table, "schema": version_schema}) is None:
        return _unversioned(scripts, version_table)
    # As text, because a prepared statement fails once when its result type changes, and the column's width may.
    revision = cast(column("version_num", String), Text)
    rows = await connection.scalars(select(revision).select_from(table(version_table, schema=version_schema)))
    # Alembic writes no NULL; where somebody has, it stands for no revision.
    status = _compare(tuple(sorted(row for row in rows if row is not None)), scripts)
    if not expand_contract or status.state is SchemaState.READY:
        return status
    steps = await known_steps(connection, scripts, (version_table, version_schema))
    if reason := why_not(steps, status.heads, status.current):
        return replace(status, sentence=f"{status.sentence} {reason}")
    sentence = f"The database is at {_names(status.current)}; the code, built for {_names(status.heads)}, can serve it."
    return replace(status, state=SchemaState.READY, sentence=sentence)


_REGCLASS = text("SELECT to_regclass(concat(quote_ident(:schema) || '.', quote_ident(:name)))::text")


def _unversioned(scripts: ScriptDirectory, version_table: str) -> SchemaStatus:
    sentence = (
        f"The database has no table {version_table}: no migration has run in it. Run `alembic upgrade head`; "
        "if its tables were made without Alembic, first `alembic-online adopt`, which finds their revision."
    )
    return SchemaStatus(SchemaState.UNVERSIONED, (), _heads(scripts), len(_pending((), scripts)), sentence)


def _compare(current: tuple[str, ...], scripts: ScriptDirectory) -> SchemaStatus:
    heads = _heads(scripts)
    if current == heads:
        return _ready(current, heads)
    known = known_ids(scripts)
    unknown = [revision for revision in current if revision not in known]
    if unknown:
        return SchemaStatus(SchemaState.AHEAD, current, heads, 0, _ahead(unknown, heads))
    behind = len(_pending(current, scripts))
    if behind == 0:
        return _ready(current, heads)
    if len(heads) > 1:
        return SchemaStatus(SchemaState.DIVERGED, current, heads, behind, _diverged(current, heads))
    return SchemaStatus(SchemaState.BEHIND, current, heads, behind, _behind(current, heads, behind))


def _heads(scripts: ScriptDirectory) -> tuple[str, ...]:
    return tuple(sorted(scripts.get_heads()))


def _pending(current: tuple[str, ...], scripts: ScriptDirectory) -> list[str]:
    """The revisions that `alembic upgrade heads` would apply, counted the way it does: dependencies included."""
    return [script.revision for script in scripts.iterate_revisions("heads", current, implicit_base=True)]


def _ready(current: tuple[str, ...], heads: tuple[str, ...]) -> SchemaStatus:
    return SchemaStatus(SchemaState.READY, current, heads, 0, f"The database is at {_names(current)}, as the code is.")


def _behind(current: tuple[str, ...], heads: tuple[str, ...], behind: int) -> str:
    place = f"The database is at {_names(current)}, {counted(behind, 'revision')} behind the code's {_names(heads)}."
    return f"{place} Run `alembic upgrade head`."


def _ahead(unknown: list[str], heads: tuple[str, ...]) -> str:
    return (
        f"The database is at {_names(unknown)}, which this code does not have (its head is {_names(heads)}): "
        "the deployed code is older than the database. Deploy the newer code, or, with it, `alembic downgrade`."
    )


def _diverged(current: tuple[str, ...], heads: tuple[str, ...]) -> str:
    return (
        f"The code has {len(heads)} heads, {_names(heads)}, and the database is at {_names(current)}. "
        f'Join them: alembic merge -m "merge {listed((head.partition("_")[0] for head in heads), " and ")}" heads'
        ", and then run `alembic upgrade head`."
    )


def _names(revisions: tuple[str, ...] | list[str]) -> str:
    return listed(revisions, " and ") or "no revision"
