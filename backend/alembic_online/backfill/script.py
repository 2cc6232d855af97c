"""A backfill as one statement, for `--sql` and for a transaction that is the caller's: a DO block that walks the key.

Offline there is no catalogue to ask, so the block asks it when it is run. It keeps no state: run again, it walks the
whole table again and changes what is left.
"""

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.keyset import KEY_SQL
from alembic_online.backfill.triggers import SILENCE
from alembic_online.errors import RequestRefused
from alembic_online.postgres.sql.identifiers import quoted
from alembic_online.postgres.sql.literals import literal

_ROWS = 5000
_BLOCK = """\
DO $backfill$
DECLARE
    target regclass := {table}::regclass;
    key_columns text[];
    key_types text[];
    listed text;
    given text;
    assignments text;
    differs text;
    walked text[];
    upto text[];
BEGIN
    SELECT columns, types INTO STRICT key_columns, key_types FROM ({key}) AS key;
    listed := array_to_string(key_columns, ', ');
    SELECT string_agg(format('CAST((%s)[%s] AS %s)', '$1', place, kind), ', ' ORDER BY place) INTO given
    FROM unnest(key_types) WITH ORDINALITY AS t (kind, place);
    SELECT string_agg(format('%I = (%s)', name, value), ', '),
           format('CAST(ROW(%s) AS record) OPERATOR(pg_catalog.*<>) CAST(ROW(%s) AS record)',
                  string_agg(quote_ident(name), ', ' ORDER BY attnum),
                  string_agg(format('CAST((%s) AS %s)', value, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum))
    INTO STRICT assignments, differs
    FROM unnest(ARRAY[{names}], ARRAY[{values}]) AS v (name, value)
    JOIN pg_attribute ON attrelid = target AND attname = name;
    LOOP
        EXECUTE format('SELECT ARRAY[%s] FROM (SELECT %s FROM %s WHERE $1 IS NULL OR ROW(%s) > ROW(%s)'
                       ' ORDER BY %s LIMIT {rows}) AS batch ORDER BY %s LIMIT 1',
                       (SELECT string_agg(format('CAST(%s AS text)', c), ', ') FROM unnest(key_columns) AS c),
                       listed, target, listed, given, listed,
                       (SELECT string_agg(c || ' DESC', ', ') FROM unnest(key_columns) AS c))
        INTO upto USING walked;
        EXIT WHEN upto IS NULL;{announce}
        EXECUTE format('UPDATE %s SET %s WHERE ($1 IS NULL OR ROW(%s) > ROW(%s)) AND ROW(%s) <= ROW(%s)'
                       ' AND (%s) AND %s',
                       target, assignments, listed, given, listed, replace(given, '$1', '$2'), {where}, {differs})
        USING walked, upto;{commit}
        walked := upto;
    END LOOP;
END
$backfill$"""


def script(definition: Backfill, *, commits: bool) -> str:
    """The block; with `commits` each batch is a transaction, and the block must be outside of any.

    Raises `RequestRefused` for a Python function.
    """
    if definition.function is not None:
        raise RequestRefused(
            f"The backfill {definition.name} is a Python function, which has no SQL.",
            "Run this revision with `alembic upgrade` and a URL, without --sql.",
        )
    silence = SILENCE.format(local="true")
    columns = literal(" ".join(definition.values))
    announced = f"concat_ws(' ', target::oid, {columns})"
    announce = f"\n        PERFORM set_config('safety.backfill', {announced}, true), {silence};"
    return _BLOCK.format(
        table=literal(definition.table),
        key=KEY_SQL.format(table="target"),
        names=", ".join(map(literal, definition.values)),
        values=", ".join(map(literal, definition.values.values())),
        rows=_ROWS,
        where=literal(definition.where or "true"),
        differs="'true'" if definition.asked_once else "differs",
        announce=announce if definition.unnoticed else "",
        commit="\n        COMMIT;" if commits else "",
    )


def as_update(definition: Backfill) -> str:
    """All of it as an UPDATE, by which is told what it would write over."""
    values = ", ".join(f"{quoted(column)} = ({value})" for column, value in definition.values.items())
    return f"UPDATE {definition.table} SET {values} WHERE {definition.where or 'true'}"
