"""What all constraints have in common: a name to validate them by, and a key to name the rows that break them."""

from collections.abc import Callable, Iterator

from sqlalchemy.schema import Constraint

from alembic_online.recipes.database import Database
from alembic_online.recipes.generated_names import free_constraint_name
from alembic_online.recipes.names import formatted_constraint_name, quoted, table_name, temporary, unquoted
from alembic_online.recipes.precheck import Obstacle
from alembic_online.recipes.recreate_foreign_keys import parts_of
from alembic_online.recipes.step import Step

_KEY = """
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY array_position(i.indkey::int2[], a.attnum)) AS names
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = to_regclass(:table) AND i.indisprimary HAVING count(*) > 0
"""


def constraint_name(constraint: Constraint, first: str, second: str, label: str, database: Database) -> str:
    """Its name as SQL writes it; one that has none gets the name that PostgreSQL would give to it."""
    if (given := formatted_constraint_name(constraint)) is not None:
        return given
    name = free_constraint_name(first, second, label, table_name(constraint.table), database)
    constraint.name = name
    return quoted(name)


def obstacle_columns(table: str, database: Database) -> str:
    """The columns by which a row is named: its primary key, or where there is none its place."""
    found = database.ask(_KEY, table=table)
    return str(found[0].names) if found else "ctid"


def not_valid_first(
    add: Callable[[str], str],
    table: str,
    name: str,
    obstacle: Obstacle | None,
    database: Database,
    *other_tables: str,
) -> Iterator[Step]:
    """NOT VALID, then VALIDATE. `add` gives the first statement, for a constraint of any name.

    One that the revision drops stays until the new one is proven. Where a column or key that it needs changes hands in
    the cut-over, it is added there, and proven afterwards.
    """
    cut_over = database.cut_over
    # As the first try found it: for the next one, what was dropped above waits once more.
    joins = database.recall_whether(f"{name} joins", lambda: cut_over.changes_keys(table, *other_tables))
    replaces = database.recall_whether(f"{name} replaces", lambda: cut_over.gives_up("constraint", table, name))
    if joins or not replaces:
        seen = None if cut_over.swaps(table, *other_tables) else obstacle
        yield Step(sql=add(name), obstacle=seen, joins=joins)
        yield Step(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        return
    new = quoted(temporary(unquoted(name)))
    yield Step(sql=add(new), obstacle=obstacle)
    yield Step(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {new}")
    for part in parts_of(table, unquoted(new), database):
        if part.name == unquoted(new):
            yield Step(sql=f"ALTER TABLE {part.table} RENAME CONSTRAINT {new} TO {name}", joins=True, with_next=True)
    yield Step(sql=f"ALTER TABLE {table} RENAME CONSTRAINT {new} TO {name}", joins=True)


def named(construct: Constraint, name: str) -> Constraint:
    """The constraint, called so from now on; `name` as SQL writes it."""
    construct.name = unquoted(name)
    return construct
