"""Which revision a database equals, by all of its catalogue and never by names of tables; and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Table

from alembic_online.adopt.walk import Made, walk
from alembic_online.alembic_seam import with_ancestors
from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Schema
from alembic_online.autogenerate.include_filters import without
from alembic_online.autogenerate.scope import comparable
from alembic_online.errors import RequestRefused
from alembic_online.postgres.catalogue import Difference, Identity, Kind, compare
from alembic_online.postgres.declared import LeaveAlone, declared
from alembic_online.review.drift import as_sql, seen_from_here
from alembic_online.review.plan.rehearsal import Live
from alembic_online.review.stamp_check import foreign_tables
from alembic_online.revisions.graph import known_ids
from alembic_online.revisions.project import Project
from alembic_online.text import listed


class State(StrEnum):
    """How a database stands to the revisions."""

    EMPTY = "empty"
    AT_REVISION = "at its revision"
    UNSTAMPED = "made, and not stamped"
    WRONGLY_STAMPED = "wrongly stamped"
    SEVERAL = "like several revisions"
    HALF_MADE = "half made"
    HALF_DONE = "in the middle of a revision"
    DRIFTED = "changed by hand"
    AHEAD = "ahead of the code"
    WITHOUT_REVISIONS = "without revision files"


@dataclass(frozen=True)
class Verdict:
    """What was found, in words, and what would bring the database under revisions."""

    state: State
    sentence: str
    stamp: tuple[str, ...] | None = None
    """The heads that it is to be stamped with; empty for base, None where nothing is to be stamped."""
    differences: Sequence[Difference] = ()
    """From the database to the revision that is nearest."""
    repair: str = ""
    """SQL that makes it that revision's."""
    next_step: str = ""
    """For whoever has to go on."""
    foreign: tuple[str, ...] = ()
    """Tables that are in no model and in no revision."""
    choices: tuple[str, ...] = ()
    """Where several revisions make the same."""


@dataclass
class _Nearness:
    made: Made
    here: Schema
    there: Schema
    differences: list[Difference] = field(default_factory=list)


def judge(project: Project, live: Live, versions: Table, chosen: str | None = None) -> Verdict:
    """Look at the database `live`, whose version table is `versions`. `chosen` decides between revisions alike.

    Raises `RequestRefused` where it is none of them, `UserError` where no scratch database can be had.
    """
    if live.half_done:
        words = " ".join(each.sentence for each in live.half_done)
        return Verdict(State.HALF_DONE, words, next_step="Finish it first; then run this again.")
    unknown = [head for head in live.heads if head not in known_ids(project.scripts)]
    if unknown:
        return _ahead(project, unknown)
    mine = without_version_tables(live.schema, versions)
    strangers = foreign_tables(mine, project.metadata, project.scripts)
    foreign = _not_left_alone(project, strangers | other_chains(live.schema, versions), mine.default)
    if not known_ids(project.scripts):
        return _without_revisions(mine)
    walked = walk(project, live.place)
    if live.heads and set(live.heads) not in [set(made.heads) for made in walked.made]:
        walked.made.append(walk(project, live.place, with_ancestors(project.scripts, live.heads)).made[-1])
    near = [_compared(project, without(mine, strangers), made) for made in walked.made]
    equal = [each.made.heads for each in near if not each.differences]
    if not equal:
        return _differing(near, live, foreign, walked.failed)
    return _equal(equal, live, foreign, chosen, project.scripts.get_heads())


def _equal(
    equal: list[tuple[str, ...]], live: Live, foreign: tuple[str, ...], chosen: str | None, newest: Sequence[str]
) -> Verdict:
    if live.heads in equal:
        if not live.heads:
            words = "The database is empty: nothing is to be adopted."
            return Verdict(State.EMPTY, words, next_step="alembic upgrade head", foreign=foreign)
        words = f"The database is at {_names(live.heads)}, and is what that makes."
        to_come = "" if set(live.heads) == {*newest} else "alembic upgrade head"
        return Verdict(State.AT_REVISION, words, next_step=to_come, foreign=foreign)
    if chosen is not None:
        there = [*map(_names, equal)]
        equal = [heads for heads in equal if any(head.startswith(chosen) for head in heads)]
        if not equal:
            raise RequestRefused(
                f"The database is what {listed(there, ' or ')} makes, and not what {chosen} makes.",
                f"Name one of them, or leave --revision out: --revision {there[-1]}",
            )
    state = State.WRONGLY_STAMPED if live.heads else State.UNSTAMPED
    was = f"it is stamped with {_names(live.heads)}" if live.heads else "it is not stamped"
    if len(equal) > 1:
        choices = tuple(_names(heads) for heads in equal)
        return Verdict(
            State.SEVERAL,
            f"The database is what {listed(choices, ' or ')} makes, which differ in rows alone; {was}.",
            next_step="Which of them have changed its rows? Name the last one: --revision REVISION",
            foreign=foreign,
            choices=choices,
        )
    made = _names(equal[0]) if equal[0] else "no revision at all (base)"
    return Verdict(state, f"The database is what {made} makes; {was}.", stamp=equal[0], foreign=foreign)


def _differing(near: list[_Nearness], live: Live, foreign: tuple[str, ...], failed: str) -> Verdict:
    stamped = [each for each in near if live.heads and set(each.made.heads) == set(live.heads)]
    best = min(reversed(near), key=lambda each: len(each.differences))
    if stamped and len(stamped[0].differences) <= len(best.differences):
        best = stamped[0]
    if not live.heads and (ahead := _half_made(near)) is not None:
        words = f"The database is what {_names(ahead.made.heads)} makes, but for a part of it that is missing."
        return _to_repair(State.HALF_MADE, words, ahead, foreign)
    words = f"No revision makes what the database has; the nearest is {_names(best.made.heads) or 'base'}."
    if failed:
        words += f" The chain could not be run to its end: {failed}"
    return _to_repair(State.DRIFTED, words, best, foreign)


def _half_made(near: list[_Nearness]) -> _Nearness | None:
    """The first one of which nothing is otherwise than missing, where the database is not as good as empty."""
    if not near[0].differences:
        return None
    return next((each for each in near[1:] if all(item.change == "missing" for item in each.differences)), None)


def _to_repair(state: State, words: str, near: _Nearness, foreign: tuple[str, ...]) -> Verdict:
    try:
        repair = as_sql(near.here, near.there).rstrip()
    except CannotWrite as error:
        repair = f"-- {error}"
    return Verdict(
        state,
        words,
        differences=near.differences,
        repair=repair,
        next_step="Repair it by that SQL, or by what the models should say; then run this again.",
        foreign=foreign,
    )


def _compared(project: Project, mine: Schema, made: Made) -> _Nearness:
    here, there = comparable(mine, made.schema, project.metadata, project.scripts, by_models=False)
    return _Nearness(made, here, there, seen_from_here(compare(here.catalogue, there.catalogue)))


def _ahead(project: Project, unknown: Sequence[str]) -> Verdict:
    heads = _names(tuple(project.scripts.get_heads())) or "none"
    return Verdict(
        State.AHEAD,
        f"The database is at {_names(tuple(unknown))}, which these revision files do not have (their head: {heads}).",
        next_step="Take the newer revision files, those that were applied. If it is another project's revision,"
        " give yours a version table of its own: context.configure(version_table=...).",
    )


def _without_revisions(mine: Schema) -> Verdict:
    tables = sum(entry.kind is Kind.TABLE for entry in mine.catalogue.values())
    if not tables:
        words = "The database is empty, and there are no revisions."
        return Verdict(State.EMPTY, words, next_step='alembic revision --autogenerate -m "first"')
    words = "The database has tables, and there are no revision files: a first revision is written that makes them."
    return Verdict(State.WITHOUT_REVISIONS, words)


def without_version_tables(schema: Schema, versions: Table) -> Schema:
    """Without ours, whatever its name is, and those of other chains."""
    return without(schema, other_chains(schema, versions) | {_mine(schema, versions)})


def of_the_project(project: Project, live: Live, versions: Table) -> Schema:
    """What a first revision is to make: all that is there but for what is left alone."""
    patterns = [item for item in declared(project.metadata) if isinstance(item, LeaveAlone)]
    whole = without_version_tables(live.schema, versions)
    others = {each for each in whole.catalogue if any(item.matches(each.schema, each.name) for item in patterns)}
    return without(whole, others)


def other_chains(schema: Schema, versions: Table) -> set[Identity]:
    """The tables in which other chains stamp their revisions: they have that one column."""
    tables = {entry.identity for entry in schema.catalogue.values() if entry.kind is Kind.TABLE}
    return {
        table
        for table in tables - {_mine(schema, versions)}
        if [each.name for each in schema.children(table, Kind.COLUMN)] == ["version_num"]
    }


def _mine(schema: Schema, versions: Table) -> Identity:
    return Identity(Kind.TABLE, versions.schema or schema.default, "", versions.name)


def _not_left_alone(project: Project, tables: set[Identity], default: str) -> tuple[str, ...]:
    patterns = [item for item in declared(project.metadata) if isinstance(item, LeaveAlone)]
    left = [each for each in tables if not any(item.matches(each.schema, each.name) for item in patterns)]
    return tuple(sorted(_name(each, default) for each in left))


def _name(table: Identity, default: str) -> str:
    return table.name if table.schema == default else f"{table.schema}.{table.name}"


def _names(heads: Sequence[str]) -> str:
    return listed(heads, " and ")
