"""`ALTER TABLE t DROP COLUMN g, ALTER COLUMN c TYPE ..., ADD COLUMN g ... STORED`: a type, with what is computed of it.

PostgreSQL refuses the type of a column that a generated one reads (`ATExecAlterColumnType`, 16 to 18), and takes the
three actions in one statement. It would rewrite the table, so a new one takes the old one's place: clients see a change
of types, and no moment without the generated column. So it is where the column that goes is a plain one, and is
computed from now on.
"""

from collections.abc import Sequence

from alembic_online.postgres.locks.reader import Reader
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import folded, literal
from alembic_online.recipes.step import OnlineChange


def generated_again(
    actions: Sequence[Reader], table: str, sql: str, database: Database, *, joins: bool = False
) -> OnlineChange | None:
    """Its online way; None where the actions are others, or the database is not known.

    It `joins` the cut-over where that gives names to the types.
    """
    change = sql[actions[0].rest()[0].start :]
    computed: dict[str, str] = {}
    gone, back, stored = set(), set(), False
    for action in actions:
        if action.accept("DROP CONSTRAINT"):
            action.name()
        elif action.accept("DROP"):
            action.accept("COLUMN")
            action.accept("IF EXISTS")
            gone.add(folded(action.name()))
            if not action.done:
                return None
        elif action.accept("ADD") and action.has("GENERATED") and not action.has("IDENTITY"):
            stored |= action.has("STORED")
            action.accept("COLUMN")
            action.accept("IF NOT EXISTS")
            back.add(folded(action.name()))
        elif action.accept("ALTER"):
            action.accept("COLUMN")
            column = folded(action.name())
            if not action.accept_any("TYPE", "SET DATA TYPE"):
                return None
            computed[column] = _using(action, sql)
        else:
            return None
    if not (database.is_known and stored and gone == back):
        return None
    from alembic_online.recipes.shadow_table import shadow_table  # noqa: PLC0415  see `registry`

    using = {column: expression for column, expression in computed.items() if expression}
    mark = _types([*computed, *gone])
    return shadow_table(table, change, database, computed=using, mark=mark, joins=joins)


def _using(action: Reader, sql: str) -> str:
    tokens = list(action.rest())
    for place, token in enumerate(tokens):
        if token.keyword == "USING":
            last = tokens[-1]
            return sql[tokens[place + 1].start : last.start + len(last.text)]
    return ""


def _types(columns: Sequence[str]) -> str:
    """The query for what the change changes."""
    listed = ", ".join(map(literal, columns))
    return (
        "SELECT coalesce(string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), CASE WHEN"
        " attgenerated <> '' THEN pg_get_expr(adbin, adrelid) END), ', ' ORDER BY attname), 'none') FROM pg_attribute"
        " LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        f" WHERE attrelid = to_regclass(:table) AND attname IN ({listed})"
    )
