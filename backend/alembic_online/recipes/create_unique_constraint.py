"""ADD UNIQUE and ADD PRIMARY KEY: a unique index is built CONCURRENTLY, then becomes the constraint's (USING INDEX).

The second takes ACCESS EXCLUSIVE for an instant. A primary key's columns become NOT NULL first, in steps of their own.
A partitioned table has no USING INDEX (PostgreSQL 16 to 18): each partition gets the constraint first, and the one of
the whole table then adopts them.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Column, Index, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.schema import AddConstraint, CreateIndex

from alembic_online.postgres.sql.identifiers import object_name
from alembic_online.recipes.constraint import constraint_name
from alembic_online.recipes.database import Database
from alembic_online.recipes.duplicates import duplicates
from alembic_online.recipes.generated_names import free_relation_name, frees_relation_name
from alembic_online.recipes.index_build import plan_build
from alembic_online.recipes.names import ddl, deferrability, qualified, quoted, table_name, temporary
from alembic_online.recipes.set_not_null import set_not_null
from alembic_online.recipes.step import OnlineChange, Step, Steps


def add_unique(construct: AddConstraint, database: Database) -> OnlineChange | None:
    """An index first, built CONCURRENTLY; the values that occur more than once are looked for before."""
    constraint = construct.element
    assert isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint)
    return OnlineChange(table_name(constraint.table), _steps(construct, constraint, database))


def _steps(construct: AddConstraint, constraint: UniqueConstraint | PrimaryKeyConstraint, database: Database) -> Steps:
    table = constraint.table
    columns = [column.name for column in constraint.columns]
    primary = isinstance(constraint, PrimaryKeyConstraint)
    second, label = ("", "pkey") if primary else ("_".join([*columns, *_included(constraint)]), "key")
    constraint_name(constraint, table.name, second, label, database)
    if primary:
        for column in columns:
            yield from set_not_null(table_name(table), table.name, column, database)
    facts = database.table(table_name(table))
    if facts is None or not facts.partitioned:
        yield from _with_index(constraint, str(constraint.name), table.name, table.schema, database)
        return
    adopted: list[Step] = []
    whole = table_name(table)
    for part in database.partitions(whole):
        if not part.partitioned:
            gone = _is_replaced(part.sql, database, lambda: database.cut_over.changes_keys(table_name(table)))
            free = partial(free_relation_name, part.name, second, label, part.schema, database)
            name = object_name(part.name, second, label) if gone else free()
            for step in _with_index(constraint, name, part.name, part.schema, database, gone=gone, above=whole):
                if isinstance(step, Step) and step.joins:
                    adopted.append(step)
                else:
                    yield step
    yield from adopted  # of all of them, when every index is there: so all are one cut-over
    yield Step(sql=ddl(construct), joins=True)


def _with_index(
    constraint: UniqueConstraint | PrimaryKeyConstraint,
    name: str,
    table: str,
    schema: str | None,
    database: Database,
    *,
    gone: bool = False,
    above: str = "",
) -> Steps:
    """One that is dropped above keeps its name until the new index is there; with `gone`, that of a partition.

    A column of a partition is exchanged with that of the table `above`.
    """
    whole = qualified(table, schema)
    gone = gone or _is_replaced(whole, database, partial(_is_given_up, whole, name, database))
    found = database.recall(f"exchanged in {whole}", lambda: json.dumps(database.cut_over.exchanged(above or whole)))
    exchanged = json.loads(found or "[]")
    built = name
    for _ in range(1 + len(exchanged) if gone else 0):  # what the swap of each column carries over has one of these
        built = temporary(built)
    index = _index(constraint, built, table, schema, exchanged)
    assert index.table is not None
    build = plan_build(index, database.table(table_name(index.table)), database)
    yield from build.before
    create = CreateIndex(index)
    yield Step(sql=ddl(create), obstacle=duplicates(create, database), says=build.says)
    yield from build.after
    kind = "PRIMARY KEY" if isinstance(constraint, PrimaryKeyConstraint) else "UNIQUE"
    using = f"{kind} USING INDEX {quoted(built)}{deferrability(constraint)}"
    yield Step(sql=f"ALTER TABLE {table_name(index.table)} ADD CONSTRAINT {quoted(name)} {using}", joins=True)


def _is_replaced(table: str, database: Database, find: Callable[[], bool]) -> bool:
    """As the first try found it: for the next one, what was dropped above this key waits once more."""
    return database.recall_whether(f"a key of {table} is replaced", find)


def _is_given_up(table: str, name: str, database: Database) -> bool:
    own = any(database.cut_over.gives_up(kind, table, name) for kind in ("constraint", "index"))
    return own or frees_relation_name(name, table, database)


def _included(constraint: UniqueConstraint | PrimaryKeyConstraint) -> list[str]:
    options = constraint.dialect_options["postgresql"]
    return [str(getattr(column, "name", column)) for column in options["include"] or ()]


def _index(
    constraint: UniqueConstraint | PrimaryKeyConstraint,
    name: str,
    table: str,
    schema: str | None,
    exchanged: Sequence[str],
) -> Index:
    """The constraint's index, on a table object of its own: Alembic would create whatever hangs on the given one.

    Of the columns `exchanged` it holds the new ones.
    """
    options = constraint.dialect_options["postgresql"]
    included = [temporary(each) if each in exchanged else each for each in _included(constraint)]
    names = [temporary(each.name) if each.name in exchanged else each.name for each in constraint.columns]
    columns: list[Column[Any]] = [Column(each) for each in [*names, *included]]
    copy = Table(table, MetaData(), *columns, schema=schema)
    given: dict[str, Any] = {"postgresql_include": included} if included else {}
    if isinstance(constraint, UniqueConstraint):
        given["postgresql_nulls_not_distinct"] = options["nulls_not_distinct"]
    return Index(name, *(copy.c[each] for each in names), unique=True, postgresql_concurrently=True, **given)
