"""What stands in a column that may not be NULL, and of whose content nothing is known."""

from alembic_online.autogenerate.casts import NUMBERS
from alembic_online.autogenerate.column_types import parse_type, user_type
from alembic_online.autogenerate.context import Schema
from alembic_online.autogenerate.conversions import key
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind

_OF_TYPES = {
    **dict.fromkeys((*NUMBERS, "money", "oid"), "0"),
    **dict.fromkeys(("text", "character varying", "character", "bytea", "bit varying", "tsvector", "tsquery"), "''"),
    # Not now(): two databases that went down and up again would hold two moments.
    "timestamp": "'2000-01-01'",
    "timestamp tz": "'2000-01-01 00:00:00+00'",
    "boolean": "false",
    "date": "'2000-01-01'",
    "time": "'00:00'",
    "time tz": "'00:00+00'",
    "interval": "'0'",
    "uuid": "'00000000-0000-0000-0000-000000000000'",
    "json": "'{}'",
    "jsonb": "'{}'",
    "inet": "'0.0.0.0'",
    "cidr": "'0.0.0.0/0'",
    "macaddr": "'00:00:00:00:00:00'",
    "macaddr8": "'00:00:00:00:00:00:00:00'",
    "xml": "''",
    "point": "'(0,0)'",
}


def placeholder(printed: str, schema: Schema) -> str | None:
    """An expression for a value of the type, the same in every row; None for a type of which nothing is known."""
    parsed = parse_type(printed)
    if parsed is None:
        return None
    name = key(parsed)
    if parsed.array or name.endswith("multirange"):
        return "'{}'"
    if name.endswith("range"):
        return "'empty'"
    if name == "bit":
        return f"repeat('0', {parsed.number})::bit({parsed.number})"
    if name in _OF_TYPES:
        return _OF_TYPES[name]
    entry = user_type(printed, schema)
    return _of_extension(parsed.name, parsed.number) if entry is None else _of_user_type(entry, schema)


def numbered(printed: str) -> str | None:
    """An expression of `numbered.n`, the number of a row, for a value that no other row has and each run gives."""
    parsed = parse_type(printed)
    name = None if parsed is None or parsed.array else key(parsed)
    if name in NUMBERS:
        return "numbered.n"
    if name in ("text", "character varying", "character"):
        return "numbered.n::text"
    if name == "uuid":
        return "md5(numbered.n::text)::uuid"
    if name in ("date", "timestamp"):
        return "timestamp '2000-01-01' + numbered.n * interval '1 day'"
    if name == "timestamp tz":
        return "timestamptz '2000-01-01 00:00:00+00' + numbered.n * interval '24 hours'"
    return None


def _of_user_type(entry: CatalogueObject, schema: Schema) -> str | None:
    labels = entry.attributes.get(Attribute.LABELS)
    if isinstance(labels, tuple):
        return "'" + labels[0].replace("'", "''") + "'"
    if entry.kind is Kind.DOMAIN:
        return placeholder(entry.text(Attribute.TYPE), schema)
    return "'empty'" if entry.kind is Kind.RANGE else None


def _of_extension(name: str, dimensions: int | None) -> str | None:
    if name in ("citext", "hstore", "ltree"):
        return "''"
    if name in ("vector", "halfvec"):
        return f"array_fill(0, ARRAY[{dimensions or 1}])::{name}"
    return f"'{{}}/{dimensions or 1}'" if name == "sparsevec" else None
