"""What is right: which client may fail, and where consent is to be asked."""

import json
from collections.abc import Collection, Iterator

import psycopg

from alembic_online.testing.crucible.clients import Clients
from alembic_online.testing.crucible.kinds import is_computed
from alembic_online.testing.crucible.schema import Column, Schema, Table
from alembic_online.testing.crucible.state import State


def forbidden_by(changed: str, clients: Clients) -> frozenset[str]:
    """The statements of the old code that fail after the change, which is carried out in the database `changed`.

    And those that write by a default what no row may hold any more: another default has come with the change.
    """
    with psycopg.connect(changed, autocommit=True) as session:
        session.execute("SET lock_timeout = '5ms'")
        failing = {statement for statement, _ in clients.failing(session)}
        return frozenset(failing | {*clients.unfit_defaults(session)})


def client_faults(clients: Clients, forbidden: Collection[str]) -> Iterator[str]:
    """The first statement of the old code that failed in some state, and would not fail after the change."""
    for statement, state, error, beneath in clients.failures:
        if statement not in forbidden:
            where = f"in state {state} of {clients.states}, before {beneath or 'the end'}"
            yield f"{statement[:200]} failed {where}: {error}"
            return


def failed_early(clients: Clients, forbidden: Collection[str]) -> bool:
    """Whether one that the change forbids failed before the last commit."""
    return any(statement in forbidden and state < clients.states for statement, state, *_ in clients.failures)


def losses_expected(wanted: State, undone: State, before: Schema, after: Schema) -> list[str] | None:
    """What a downgrade loses: tables and columns that hold something. None where that is not known.

    It is not known where a type goes back, which may lose values or not, nor of values that a function gives.
    """
    found = [f"table {name}" for name, rows in wanted.contents.items() if rows and _is_new(name, before, after)]
    for table in after.tables:
        was = _as_it_was(table, before)
        if was is None:
            continue
        old = {column.name: column for column in was.columns}
        for column in table.columns:
            if column.generated:
                continue
            known = old.get(column.renamed_from or column.name)
            if known is not None and known.type != column.type:
                return None
            if known is None or known.generated:
                holds = _holds(wanted, table.name, column)
                if holds is None:
                    return None
                found += [f"column {table.name}.{column.name}"] if holds else []
    labels = {enum.name: enum.labels for enum in before.enums}
    if any(labels.get(enum.name, enum.labels) != enum.labels for enum in after.enums):
        return None
    return found


def _is_new(name: str, before: Schema, after: Schema) -> bool:
    table = next((each for each in after.tables if each.name == name), None)
    return table is not None and _as_it_was(table, before) is None


def _as_it_was(table: Table, before: Schema) -> Table | None:
    return next((each for each in before.tables if each.name == (table.renamed_from or table.name)), None)


def _holds(state: State, table: str, column: Column) -> bool | None:
    """Something that the upgrade does not make again: a constant default it does. None where that is not known."""
    rows = [json.loads(row) for row in state.contents.get(table, ())]
    if any(column.name not in row for row in rows):
        return None
    found = [row[column.name] for row in rows]
    is_constant = bool(column.default) and not is_computed(column.default)
    if is_constant and None not in found and all(value == found[0] for value in found):
        return False
    return any(value is not None for value in found)
