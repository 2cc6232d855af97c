"""The steps of a column that is rebuilt, from the new column to the swap."""

import json
from collections.abc import Sequence
from dataclasses import replace

from alembic.ddl.base import ColumnType

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.in_upgrade import runner
from alembic_online.backfill.script import script
from alembic_online.recipes.cutover.replaced_type import StandIn, labels_of
from alembic_online.recipes.database import Database
from alembic_online.recipes.index_build import built_again
from alembic_online.recipes.names import ddl, kind_sql, literal, qualified, quoted, temporary, uncollated
from alembic_online.recipes.shadow_column.change_capture import become_strict, drop, function_name, keep_in_step
from alembic_online.recipes.shadow_column.column import OldColumn, read_column
from alembic_online.recipes.shadow_column.concurrent_ddl_check import seen
from alembic_online.recipes.shadow_column.constraints import constraints
from alembic_online.recipes.shadow_column.cutover import Made, swap
from alembic_online.recipes.shadow_column.foreign_keys import foreign_keys
from alembic_online.recipes.shadow_column.last_look import last_look, says_how_to_go_on
from alembic_online.recipes.shadow_column.materialized import filled, made_empty, read_materialized
from alembic_online.recipes.shadow_column.not_null import not_nulls, proven
from alembic_online.recipes.shadow_column.properties import properties
from alembic_online.recipes.shadow_column.publications import hidden, published
from alembic_online.recipes.shadow_column.recreate_dependents import indexes, statistics
from alembic_online.recipes.shadow_column.refused_values import may_refuse, refused_values
from alembic_online.recipes.shadow_column.unsupported_indexes import unfit
from alembic_online.recipes.step import OnlineChange, Step, Steps, Task

_BOTH_ENUMS = """
    SELECT 1 FROM pg_attribute JOIN pg_type old ON old.oid = atttypid AND old.typtype = 'e'
    JOIN pg_type new ON new.oid = to_regtype(:new) AND new.typtype = 'e' AND new.oid <> old.oid
    WHERE attrelid = to_regclass(:table) AND attname = :column
"""


def shadow_column(construct: ColumnType, database: Database, stand_ins: Sequence[StandIn] = ()) -> OnlineChange:
    """The online way of a type change that rewrites the table; the database must be known.

    `stand_ins` are those of the types that it names.

    Raises `RevisionFailed` for what cannot be rebuilt, such as a column that a view shows.
    """
    table = qualified(construct.table_name, construct.schema)
    return OnlineChange(table, _steps(construct, database, table, stand_ins))


def _steps(construct: ColumnType, database: Database, table: str, stand_ins: Sequence[StandIn]) -> Steps:
    words = f"{ddl(construct)} gives another enum"
    if database.recall_whether(words, lambda: _are_enums(construct, table, database)):
        database.cut_over.replace_type()
    column = read_column(database, table, str(construct.column_name))
    kind = kind_sql(construct.type_)
    if column is None:
        yield Step(sql=f"ALTER TABLE {table} ALTER COLUMN {quoted(str(construct.column_name))} TYPE {kind}")
        return
    place = database.recall(f"place of {table}.{column.quoted}", lambda: str(column.number))
    after = f"after the swap of {table}.{column.quoted}"
    if place != str(column.number):  # an earlier try has swapped them: this is the new one, and so is its type
        for each in stand_ins:
            database.cut_over.use(each)
        yield from (Step(sql=statement) for statement in json.loads(database.recall(after, lambda: "[]")))
        return
    if not stand_ins:  # with those, every index that is dropped goes first
        database.cut_over.unfit |= unfit(database, column, kind)
    there = seen(database, table, str(construct.column_name))
    using = getattr(construct, "using", None)  # of Alembic's own PostgresqlColumnType
    labels = labels_of(kind, stand_ins)
    obstacle = refused_values(table, column.quoted, column.type, kind, using, labels, database)
    early = obstacle if labels else None  # else PostgreSQL judges by the type itself
    for each in stand_ins:
        if database.cut_over.use(each):
            yield Step(sql=each.create, unless=f"SELECT to_regtype({literal(each.made)}) IS NOT NULL", obstacle=early)
    views = [read_materialized(database, *each) for each in column.dependents.materialized]
    sent = published(database, column)
    yield _try_empty(column, kind, using, database)
    yield from hidden(sent)
    yield replace(_new_column(column, kind), obstacle=obstacle)
    for view in views:
        yield from made_empty(view, column, database)
    yield from properties(database, column)
    lenient = may_refuse(column.type, kind, using)
    yield from keep_in_step(column, using, lenient=lenient)
    own = [*_given_up(column), *sent.given_up]
    leftovers = [*own, *database.cut_over.helpers, *(each.drop for each in reversed(stand_ins))]
    yield from (_fill(each, using, leftovers) for each in reversed(column.family) if not each.partitioned)
    found = list(indexes(database, column))
    if found:
        yield from built_again(table, (step for _, steps in found for step in steps), database)
    yield from constraints(database, column)
    objects = list(statistics(database, column))
    yield from (step for _, steps in objects for step in steps)
    for view in views:
        yield from filled(view, database)
    if lenient:
        yield from become_strict(column, using)
        yield from (last_look(each, column, using, leftovers) for each in column.family if not each.partitioned)
    nulls = not_nulls(database, column)
    yield from (step for each in nulls for step in proven(each))
    yield Step(sql=f"ANALYZE {table}")
    keys = foreign_keys(database, column)
    made = Made(there, [index for index, _ in found], [rename for rename, _ in objects], nulls, views, keys, sent)
    database.recall(after, lambda: json.dumps(keys.after))  # which is kept when the swap is committed, and not before
    # Whoever gives a column a type of another name means to rename that: the next lines do it.
    renames = _are_enums(construct, table, database)
    database.cut_over.helpers += own
    yield from (
        replace(step, begins=renames, retypes=column.type if renames else "") for step in swap(database, column, made)
    )
    yield from (Step(sql=statement) for statement in keys.after)


def _are_enums(construct: ColumnType, table: str, database: Database) -> bool:
    """Whether the column has one enum, and is to have another."""
    given = {"table": table, "column": str(construct.column_name), "new": uncollated(kind_sql(construct.type_))}
    return bool(database.ask(_BOTH_ENUMS, **given))


def _try_empty(column: OldColumn, kind: str, using: str | None, database: Database) -> Step:
    """PostgreSQL's own judgement, on a copy without rows, before anything is changed."""
    # What names the column by the table, PostgreSQL does not find where it comes to the parts (16 to 18).
    copy = f"pg_temp.{'type_copy' if column.parts else quoted(column.relation)}"
    given_up = database.cut_over.gives_up("default", column.table, column.name)
    like = f"CREATE TABLE {copy} (LIKE {column.table}{'' if given_up else ' INCLUDING DEFAULTS'})"
    alter = f"ALTER TABLE {copy} ALTER COLUMN {column.quoted} TYPE {kind}{f' USING {using}' if using else ''}"
    return Step(sql=f"DO $try$ BEGIN {like}; {alter}; DROP TABLE {copy}; END $try$")


def _new_column(column: OldColumn, kind: str) -> Step:
    new = temporary(column.name)
    there = (
        f"SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = {literal(column.table)}::regclass"
        f" AND attname = {literal(new)} AND NOT attisdropped)"
    )
    return Step(sql=f"ALTER TABLE {column.table} ADD COLUMN {quoted(new)} {kind}", unless=there)


def _given_up(column: OldColumn) -> list[str]:
    """How somebody takes away what is beside the column until the swap."""
    gone = f"ALTER TABLE {column.table} DROP COLUMN {quoted(temporary(column.name))}"
    return [*drop(column), f"DROP FUNCTION {function_name(column)}()", gone]


def _fill(column: OldColumn, using: str | None, leftovers: Sequence[str]) -> Task:
    """The rows of the table, or of one of its parts. `leftovers` are statements that give the change up."""
    definition = Backfill(
        table=column.table,
        values={temporary(column.name): using or column.quoted},
        in_step=True,
        unnoticed=True,
    )

    def written() -> list[Step]:
        return [Step(sql=script(definition, commits=True))]

    return Task(
        words=f"backfill {definition.name} of {definition.table} with {definition.values}",
        run=runner(definition, says_how_to_go_on(leftovers)),
        script=written,
    )
