"""Steps that write rows, as people spell them: by SQL, by SQLAlchemy, by a session, row by row, by `op.backfill`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.kinds import ALL, is_computed, value_of
from alembic_online.testing.crucible.names import quoted
from alembic_online.testing.crucible.rows import insert, key
from alembic_online.testing.crucible.schema import Column, Schema, Table

_NUMBERS = ("smallint", "integer", "bigint", "numeric(10,2)", "numeric(12,2)", "double precision")
_TEXTS = ("text", "varchar(20)", "varchar(40)")
_ROW, _NEW_ROW = 3, 801


@dataclass(frozen=True)
class Target:
    """A table, and its columns that are the same before and after: `free` may have any value."""

    table: Table
    free: tuple[Column, ...]
    is_same: bool
    """Whether the whole table is."""


def targets(before: Schema, after: Schema) -> Sequence[Target]:
    """The tables that keep their name and have such columns."""
    found = []
    for was in before.tables:
        now = next((each for each in after.tables if each.name == was.name), None)
        if now is None:
            continue
        unique = was.unique | now.unique
        same = [column for column in was.plain if column in now.plain and column.name not in unique]
        free = tuple(each for each in same if before.labels(each.type) == after.labels(each.type))
        if free:
            found.append(Target(now, free, was == now))
    return found


def rows(dice: Dice, known: Sequence[Target]) -> list[str]:
    """A step that writes rows which are what they were."""
    if not known:
        return []
    target = _target(dice, known)
    name = quoted(dice.one(target.free, lambda each: each.name).name)
    return _said(dice, f"UPDATE {quoted(target.table.name)} SET {name} = {name}")


def steps(dice: Dice, schema: Schema, known: Sequence[Target]) -> list[str]:
    """One step that changes rows."""
    if not known:
        return []
    target = _target(dice, known)
    column = dice.one(target.free, lambda each: each.name)
    table, name = quoted(target.table.name), quoted(column.name)
    value, where = _value(dice, schema, target, column), _where(dice, target.table, column)
    way = dice.one(("sql", "sql", "sql", "several", "core", "row by row", "backfill", "delete", "insert"))
    more = [each for each in target.free if each is not column]
    match way:
        case "several" if more:
            second = dice.one(more, lambda each: each.name)
            also = f"{quoted(second.name)} = {constant(schema, second)}"
            return _said(dice, f"UPDATE {table} SET {name} = {value}, {also}{where}")
        case "core":
            of = f"sa.table({target.table.name!r}, sa.column({column.name!r}))"
            more_than_null = f".where(sa.column({column.name!r}).is_(None))" if dice.chance(0.5) else ""
            return [f"op.execute(sa.update({of}).values({{{column.name!r}: sa.text({value!r})}}){more_than_null})"]
        case "row by row":
            return _row_by_row(target.table, column, value)
        case "backfill":
            given = f", where={where.removeprefix(' WHERE ')!r}" if where else ""
            return [f"op.backfill({target.table.name!r}, {{{column.name!r}: {constant(schema, column)!r}}}{given})"]
        case "delete":
            row = f"{quoted(target.table.id.name)} = {key(target.table.id.type, str(_ROW))}"
            return _said(dice, f"DELETE FROM {table} WHERE {row}")
        case "insert" if target.is_same:
            return _said(dice, insert(schema, target.table, _NEW_ROW, _NEW_ROW, 7))
    return _said(dice, f"UPDATE {table} SET {name} = {value}{where}")


def _target(dice: Dice, known: Sequence[Target]) -> Target:
    """Mostly one that the revision changes."""
    changed = [each for each in known if not each.is_same]
    return dice.one(changed if changed and dice.chance(0.6) else known, lambda each: each.table.name)


def constant(schema: Schema, column: Column) -> str:
    """A value of the column, as SQL."""
    return re.sub(r"\bi\b", str(_ROW), value_of(column.type, schema.labels(column.type)))


def _value(dice: Dice, schema: Schema, target: Target, column: Column) -> str:
    """A constant, another column, or what differs each time that it is carried out."""
    name = quoted(column.name)
    if column.type in _NUMBERS and dice.chance(0.4):
        return f"{name} + 1"
    if column.type in _TEXTS and dice.chance(0.4):
        return f"{name} || '!'"
    alike = [each for each in target.free if each is not column and each.type == column.type and not each.nullable]
    if alike and dice.chance(0.5):
        return quoted(dice.one(alike, lambda each: each.name).name)
    defaults = [each for each in ALL[column.type].defaults if not is_computed(each)] if column.type in ALL else []
    if defaults and dice.chance(0.3):
        return dice.one(defaults).replace("{{", "{").replace("}}", "}")
    return constant(schema, column)


def _where(dice: Dice, table: Table, column: Column) -> str:
    numbered = table.id.type in ("integer", "bigint", "serial", "bigserial")
    some = f" WHERE {quoted(table.id.name)} > 4" if numbered else f" WHERE {quoted(column.name)} IS NOT NULL"
    return dice.one(("", f" WHERE {quoted(column.name)} IS NULL", some))


def _said(dice: Dice, sql: str) -> list[str]:
    """One of the ways to have SQL carried out."""
    way = dice.one(("text", "text", "text", "of sqlalchemy", "bind", "driver", "session", "block"))
    if way == "driver" and "%" in sql:
        way = "bind"  # which has to be doubled for some drivers only
    match way:
        case "of sqlalchemy":
            return [f"op.execute(sa.text({sql!r}))"]
        case "bind":
            return [f"op.get_bind().execute(sa.text({sql!r}))"]
        case "driver":
            return [f"op.get_bind().exec_driver_sql({sql!r})"]
        case "session":
            return [
                "from sqlalchemy.orm import Session\n"
                f"with Session(op.get_bind()) as session:\n    session.execute(sa.text({sql!r}))\n    session.commit()"
            ]
        case "block" if "'" not in sql:
            return [f"op.execute({f'DO $$ BEGIN {sql}; END $$'!r})"]
    return [f"op.execute({sql!r})"]


def _row_by_row(table: Table, column: Column, value: str) -> list[str]:
    """The first ones, each by its key."""
    name, id_ = quoted(table.name), quoted(table.id.name)
    update = f"UPDATE {name} SET {quoted(column.name)} = {value} WHERE {id_} = :key"
    return [
        f"for (key,) in op.get_bind().execute(sa.text('SELECT {id_} FROM {name} ORDER BY {id_} LIMIT 3')).all():\n"
        f"    op.get_bind().execute(sa.text({update!r}), {{'key': key}})"
    ]
