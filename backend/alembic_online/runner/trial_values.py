"""Does a new type keep every value? The server is asked, by values of the old type that are likely to suffer.

A cast keeps a value, or changes it in silence, or fails; a kept list of casts would be wrong with the next extension or
version. Where none of these values is changed no row is: those that fail, fail in the change itself.
"""

import json

from sqlalchemy import Connection, text

from alembic_online.postgres.sql.verbatim import run_as_written

_WHOLE = ["0", "1", "-1", "7", "127", "32767", "2147483647", "-2147483648", "16777217"]
_LARGE = [*_WHOLE, "9007199254740993", "9223372036854775807"]
_PARTS = [
    *_LARGE,
    "0.5",
    "1.25",
    "-0.125",
    "0.1",
    "123456.789",
    "0.30000000000000004",
    "12345678901234567890.123",
    "1e-20",
]
_FLOATS = [*_PARTS, "1e30", "1.17549435e-38", "1e300", "NaN", "Infinity"]
_CHARACTERS = [
    "",
    " ",
    "a",
    "A",
    "a ",
    "ab  ",
    " a",
    "äöü",
    "007",
    "1.50",
    "1e3",
    "yes",
    "x" * 300,
    "{1, 2}",
    "[1.0,2]",
]
_WRITTEN = [
    "2026-1-2",
    "2026-01-02 03:04:05.678901+02",
    "3:04 PM",
    "1 day 24:00",
    "0x10",
    '{"b": 1,  "a": 1.0, "b": 2}',
]
_TEXT = [*_CHARACTERS, *_WRITTEN, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "10.0.0.1/8", "1.2.3", "10.000", "<a >b</a >"]
_JSON = ["null", "1", "1.50", '"a"', '{"b": 1,  "a": 2}', '{"a": 1, "a": 2}', '[1, {"a": 1, "a": 2}]', "1e400"]
_DATES = ["2026-01-02", "0001-01-01", "4713-01-01 BC", "9999-12-31", "infinity", "-infinity"]
_INSTANTS = [*_DATES, "2026-01-02 03:04:05.678901", "2026-07-02 23:59:59.999999", "2026-01-02 03:04:05.7"]
_TIMES = ["00:00", "03:04:05.678901", "23:59:59.999999", "24:00"]
_SPANS = ["0", "1 year 2 mons 3 days 04:05:06.789012", "-1 mon", "40 days", "100:00:00", "1 mon -1 day", "00:00:00.5"]
_NETS = ["10.0.0.1", "10.0.0.0/8", "10.1.2.3/8", "::1", "2001:db8::/32"]
_BITS = ["1", "101", "10101010", "1" * 40]
_OF_TYPE = {
    "boolean": ["true", "false"],
    "smallint": _WHOLE,
    "integer": _WHOLE,
    "bigint": _LARGE,
    "numeric": _PARTS,
    "real": _FLOATS,
    "double precision": _FLOATS,
    "money": ["0", "1", "-1.5", "1234.56", "90000000000000.01"],
    "text": _TEXT,
    "character varying": _TEXT,
    "character": _TEXT,
    "name": _CHARACTERS,
    "citext": _TEXT,
    "bytea": ["", r"\x00", r"\xff00", r"\x6162", r"\xc3a4"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "json": _JSON,
    "jsonb": _JSON,
    "date": _DATES,
    "timestamp without time zone": _INSTANTS,
    "timestamp with time zone": _INSTANTS,
    "time without time zone": _TIMES,
    "time with time zone": [*_TIMES, "03:04:05+02"],
    "interval": _SPANS,
    "inet": _NETS,
    "cidr": _NETS,
    "macaddr": ["08:00:2b:01:02:03"],
    "macaddr8": ["08:00:2b:ff:fe:01:02:03", "08:00:2b:01:02:03:04:05"],
    "bit": _BITS,
    "bit varying": ["", *_BITS],
    "int4range": ["empty", "[1,5)", "(,5)", "[1,)"],
    "int8range": ["empty", "[1,5)", "(,5)", "[1,)"],
    "daterange": ["empty", "[2026-01-01,2026-02-01)", "(,2026-01-01)"],
}
_VECTORS = ("vector", "halfvec", "sparsevec")
_ZONED = {"timestamp without time zone", "timestamp with time zone"}
_LABELS = text("SELECT enumlabel FROM pg_enum WHERE enumtypid IN (to_regtype(:was), to_regtype(:becomes))")
_SET = text("SELECT set_config('safety.trial_values', :values, true)")
_FOUND = text("SELECT current_setting('safety.trial_found')")
# Nothing is left of it but a setting: each value in a block of its own, for an error ends a statement.
_TRY = """
DO $trial$
#variable_conflict use_column
DECLARE trial_value text; trial_changes boolean; trial_tried boolean := false; trial_found boolean := false;
BEGIN
  FOR trial_value IN SELECT json_array_elements_text(current_setting('safety.trial_values')::json) LOOP
    BEGIN
      PERFORM CAST({old} AS {type});
      trial_tried := true;
      SELECT {condition} INTO trial_changes FROM (SELECT CAST({old} AS {type}) AS {column}) AS {table};
      trial_found := trial_found OR coalesce(trial_changes, false);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  PERFORM set_config(
    'safety.trial_found', CASE WHEN trial_found THEN 'some' WHEN trial_tried THEN 'none' ELSE '' END, true
  );
END $trial$
"""


def trial_values(connection: Connection, was: str, becomes: str, modifier: int) -> list[str]:
    """Texts of values of the type `was`, for a change to the type `becomes`; none where none are known.

    Both are names without modifiers; `modifier` is that of the old one, -1 for none. In a time zone that changes its
    clocks an hour is missing, or there twice: no choice of values shows that.
    """
    if {was, becomes} == _ZONED and connection.scalar(text("SHOW TimeZone")) not in ("UTC", "Etc/UTC", "GMT"):
        return []
    name = was.rpartition(".")[2]
    if name in _VECTORS:
        dimensions = modifier if modifier > 0 else 3
        return [_vector(name, number, dimensions) for number in ("0", "1", "0.1", "-1.5", "65505", "1e-20", "1e30")]
    labels = connection.scalars(_LABELS, {"was": was, "becomes": becomes}).all()
    return [*labels, *_OF_TYPE.get(name, ())]


def _vector(kind: str, number: str, dimensions: int) -> str:
    return f"{{1:{number}}}/{dimensions}" if kind == "sparsevec" else f"[{','.join([number] * dimensions)}]"


def changed_by(
    connection: Connection, values: list[str], condition: str, *, type_: str, column: str, table: str, array: bool
) -> bool | None:
    """Whether `condition`, which is true of a row whose `column` changes, is true of any of `values`.

    None where the old type takes none of them. It leaves two settings in the transaction at hand.
    """
    if not values:
        return None
    old = "ARRAY[trial_value]" if array else "trial_value"
    connection.execute(_SET, {"values": json.dumps(values)})
    sql = _TRY.format(old=old, type=type_, condition=condition, column=column, table=table)
    run_as_written(connection, sql)
    return {"some": True, "none": False}.get(str(connection.scalar(_FOUND)))
