"""SQL written by hand in `op.execute`: the forms with an online way of the same words. Any other runs as it stands.

CREATE INDEX, DROP INDEX, ADD CONSTRAINT ... CHECK, FOREIGN KEY or a key, SET NOT NULL, TYPE, ADD COLUMN ... STORED,
SET EXPRESSION; and ALTER TYPE ... ADD VALUE, whose label PostgreSQL (12 to 18) refuses until it is committed, unless
the type is new too. One statement, one action; but for a type that changes with what is computed of it.
"""

from collections.abc import Callable
from typing import Any

from alembic.ddl.postgresql import PostgresqlColumnType
from sqlalchemy import TextClause
from sqlalchemy.schema import AddConstraint

from alembic_online.postgres.locks import strong_locks
from alembic_online.postgres.locks.reader import Reader, single, statements
from alembic_online.postgres.sql.tokens import tokens
from alembic_online.recipes.alter_column_type import alter_type
from alembic_online.recipes.attach_partition import attach_partition, create_partition
from alembic_online.recipes.constraint import not_valid_first
from alembic_online.recipes.create_index import table_of_index
from alembic_online.recipes.create_unique_constraint import add_unique
from alembic_online.recipes.cutover.replaced_type import Written
from alembic_online.recipes.database import Database
from alembic_online.recipes.domain import column_by_new_table, is_ruled
from alembic_online.recipes.enforce_constraint import enforce
from alembic_online.recipes.index_in_place import in_place
from alembic_online.recipes.names import ddl, folded
from alembic_online.recipes.raw_key import written_key
from alembic_online.recipes.recreate_generated_columns import generated_again
from alembic_online.recipes.set_not_null import not_null
from alembic_online.recipes.step import OnlineChange, Step

_STORED = """
    SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attname = :column AND attgenerated = 's'
"""


_Form = Callable[[Reader, str, Database], OnlineChange | None]


def written_by_hand(statement: TextClause, database: Database) -> OnlineChange | None:
    """The online way of the statement, if it has one of these forms."""
    sql = ddl(statement).rstrip("; \n")
    reader = single(sql)
    if reader is None or statement._bindparams:
        return None
    form = reader.accept_any(*_FORMS)
    return _FORMS[form](reader, sql, database) if form else None


def _create_index(reader: Reader, sql: str, database: Database) -> OnlineChange | None:
    if (place := in_place(sql, database)) is not None:
        return place.change(database)
    if reader.accept("CONCURRENTLY"):
        return None
    reader.accept("IF NOT EXISTS")
    if not (reader.name() and reader.accept("ON")) or reader.accept("ONLY"):
        return None
    table = reader.name()
    facts = database.table(table)
    if facts is not None and facts.partitioned:
        return None
    return OnlineChange(table, iter([Step(sql=_concurrently(sql))]))


def _drop_index(reader: Reader, sql: str, database: Database) -> OnlineChange | None:
    if reader.accept("CONCURRENTLY"):
        return None
    reader.accept("IF EXISTS")
    name = reader.name()
    if (found := table_of_index(name, database)) is None or not reader.done:
        return None
    table, at_once = found
    return None if at_once else OnlineChange(table, iter([Step(sql=_concurrently(sql))]))


def _alter_table(reader: Reader, sql: str, database: Database) -> OnlineChange | None:
    reader.accept("IF EXISTS")
    reader.accept("ONLY")
    parts = reader.parts()
    actions = list(reader.split())
    if len(actions) > 1 and parts:
        return generated_again(actions, ".".join(parts), sql, database)
    if len(actions) != 1 or not parts:
        return None
    table, change = ".".join(parts), sql[actions[0].rest()[0].start :]
    if actions[0].accept("ADD CONSTRAINT"):
        return _add_constraint(actions[0], parts, sql, database)
    if actions[0].comes("ADD PRIMARY KEY", "ADD UNIQUE"):
        actions[0].accept("ADD")
        return _add_key(actions[0], parts, "", sql, database)
    if actions[0].has("STORED") or actions[0].has("EXPRESSION"):
        return _generated(actions[0], table, change, database)
    if actions[0].accept("ATTACH PARTITION"):
        return attach_partition(actions[0], table, sql, database)
    if actions[0].accept("ADD"):
        return _add_column(actions[0], table, change, database)
    return _alter_column(actions[0], parts, sql, database) if actions[0].accept("ALTER") else None


def _alter_column(action: Reader, table: list[str], sql: str, database: Database) -> OnlineChange | None:
    if action.accept("CONSTRAINT"):
        constraint = folded(action.name())
        alone = action.accept("ENFORCED") and action.done
        return enforce(".".join(table), constraint, database) if alone else None
    action.accept("COLUMN")
    column, (*schema, name) = folded(action.name()), map(folded, table)
    if action.accept("SET NOT NULL"):
        return not_null(".".join(table), name, column, database)
    if not action.accept_any("TYPE", "SET DATA TYPE") or action.done:
        return None
    start = action.rest()[0].start
    using = next((token.start for token in action.rest() if token.keyword == "USING"), len(sql))
    kind, expression = Written(sql[start:using].strip()), sql[using:].strip()[len("USING") :] or None
    construct: Any = PostgresqlColumnType(name, column, kind, schema=schema[0] if schema else None, using=expression)
    return alter_type(construct, database)


def _add_column(action: Reader, table: str, change: str, database: Database) -> OnlineChange | None:
    """One whose type is a domain with a rule."""
    action.accept("COLUMN")
    action.accept("IF NOT EXISTS")
    column, kind = folded(action.name()), action.name()
    # The first word of NATIONAL CHARACTER is a syntax error to `to_regtype`, and no domain is called so.
    if not kind or kind.upper() == "NATIONAL" or not is_ruled(kind, database):
        return None
    return OnlineChange(table, column_by_new_table(table, column, change, database))


def _generated(action: Reader, table: str, change: str, database: Database) -> OnlineChange | None:
    """ADD COLUMN ... STORED, and SET EXPRESSION (PostgreSQL 17) of a stored column; of a virtual one it is instant."""
    if action.accept("ALTER"):
        action.accept("COLUMN")
        column = folded(action.name())
        stored = database.recall_whether(
            f"{table}.{column} is stored", lambda: bool(database.ask(_STORED, table=table, column=column))
        )
        if not (stored and action.accept("SET EXPRESSION")):
            return None
    elif not (database.is_known and action.accept("ADD") and action.has("GENERATED")):
        return None
    from alembic_online.recipes.shadow_table import shadow_table  # noqa: PLC0415  see `registry`

    return shadow_table(table, change, database)


def _add_key(action: Reader, table: list[str], name: str, sql: str, database: Database) -> OnlineChange | None:
    key = written_key(action, table, name)
    alone = any(reader.has("ONLY") for reader in statements(sql)) and _is_partitioned(".".join(table), database)
    return add_unique(AddConstraint(key), database) if key is not None and not alone else None


def _add_constraint(action: Reader, parts: list[str], sql: str, database: Database) -> OnlineChange | None:
    table, written, name = ".".join(parts), action.rest()[0], action.name()
    if action.comes("UNIQUE", "PRIMARY KEY"):
        return _add_key(action, parts, name, sql, database)
    foreign = action.accept("FOREIGN KEY")
    if not foreign and not action.accept("CHECK"):
        return None
    # What says NOT VALID or NOT ENFORCED is instant as it stands.
    if action.has("VALID") or action.has("ENFORCED"):
        return None
    if foreign and database.version < 18 and _is_partitioned(table, database):
        return None
    others = [lock.name for lock in strong_locks(sql)]
    before, after = sql[: written.start], sql[written.start + len(written.text) :]
    steps = not_valid_first(lambda new: f"{before}{new}{after}\nNOT VALID", table, name, None, database, *others)
    return OnlineChange(table, steps)


def _add_label(reader: Reader, sql: str, _: Database) -> OnlineChange | None:
    name = reader.name()
    return OnlineChange(name, iter([Step(sql=sql)])) if reader.accept("ADD VALUE") else None


_FORMS: dict[str, _Form] = {
    "CREATE TABLE": create_partition,
    "CREATE INDEX": _create_index,
    "CREATE UNIQUE INDEX": _create_index,
    "DROP INDEX": _drop_index,
    "ALTER TABLE": _alter_table,
    "ALTER TYPE": _add_label,
}


def _concurrently(sql: str) -> str:
    index = next(token for token in tokens(sql) if token.keyword == "INDEX")
    end = index.start + len(index.text)
    return f"{sql[:end]} CONCURRENTLY{sql[end:]}"


def _is_partitioned(table: str, database: Database) -> bool:
    facts = database.table(table)
    return facts is not None and facts.partitioned
