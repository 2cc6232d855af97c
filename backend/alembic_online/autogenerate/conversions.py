"""How the values of a column become values of another type: the USING of ALTER COLUMN ... TYPE, and what it costs.

PostgreSQL converts by itself where an implicit or an assignment cast leads from one type to the other. No cast is
written there, for an explicit one would cut what is too long in silence, where the assignment fails. What is written
for the way up is such that the way down brings the same values back where that is possible.
"""

from alembic_online.autogenerate.casts import ASSIGNED, BOOLEAN, EXPLICIT, LOSSY, NUMBERS, STRINGS, Conversion
from alembic_online.autogenerate.column_types import Printed, parse_type
from alembic_online.autogenerate.context import Schema, quoted
from alembic_online.autogenerate.vector_conversions import arrays, is_array_of_vectors, is_vector, vectors
from alembic_online.postgres.catalogue import Attribute, Kind

_JSON = ("json", "jsonb")
_SECONDS = "The numbers are seconds, of timestamps those since 1970 in UTC: change the line if yours are not."
_COMMAS = "The elements of the arrays stand in the texts with commas between them."


def conversion(column: str, before: str, after: str, new: Schema) -> Conversion:
    """From the type `before` to the type `after`, both as PostgreSQL prints them; `new` is where it is printed."""
    source, target, name = parse_type(before), parse_type(after), quoted(column)
    if source is None or target is None:
        return Conversion(f"{name}::text::{after}")
    if is_vector(source) or is_vector(target):
        found = vectors(name, source, target, new.default)
        if found is not None:
            return found
    if is_array_of_vectors(source) and is_array_of_vectors(target):
        return arrays(name, source, target, new.default)
    if target.name in _JSON and not target.schema and not target.array and source.array:
        return Conversion(f"to_{target.name}({name})")
    if source.array and not target.array:
        return _from_array(name, target, after)
    if target.array and not source.array:
        return _to_array(name, source, after)
    return _cast(name, source, target, after, new)


def key(parsed: Printed) -> str:
    """The type without its modifiers, as the tables of casts name it; `public.vector` for one in a schema."""
    name = "interval" if parsed.name.startswith("interval ") else parsed.name
    zone = " tz" if parsed.rest == " with time zone" else ""
    return f"{parsed.schema}.{name}" if parsed.schema else f"{name}{zone}"


def _cast(name: str, source: Printed, target: Printed, after: str, new: Schema) -> Conversion:
    was, now = (key(_base(parsed, new)) for parsed in (source, target))
    if was == now == "bit" and source.arguments != target.arguments:
        return Conversion(f"{name}::{after}", "Bits are cut off, or zeros added, on the right.")
    if was == now or (now in STRINGS and was != "bytea") or now in ASSIGNED.get(was, ()):
        return Conversion(remark=LOSSY.get((was, now)))
    declared = _declared_cast(source, target, new)
    if declared is not None:
        return Conversion(f"{name}::{after}" if declared == "explicit" else None)
    if not source.array and (using := _function(name, was, now)):
        return using
    if was in STRINGS or now in EXPLICIT.get(was, ()):
        return Conversion(f"{name}::{after}")
    return Conversion(f"{name}::text{'[]' * source.array}::{after}")


def _base(parsed: Printed, schema: Schema) -> Printed:
    """A domain's base type; casts are those of it."""
    entry = schema.types.get((parsed.schema, parsed.name))
    if entry is None or entry.kind is not Kind.DOMAIN:
        return parsed
    base = parse_type(entry.text(Attribute.TYPE))
    return parsed if base is None or base.array else _base(base._replace(array=parsed.array), schema)


def _declared_cast(source: Printed, target: Printed, new: Schema) -> str | None:
    """The context of a cast that somebody has declared between the two."""
    names = [parsed.unmodified for parsed in (source, target)]
    for entry in new.catalogue.values():
        if entry.kind is Kind.CAST and entry.name == " as ".join(names):
            return entry.text(Attribute.CONTEXT)
    return None


def _function(name: str, was: str, now: str) -> Conversion | None:
    """Where no cast says what is meant."""
    if now == BOOLEAN and was in NUMBERS and was != "integer":
        return Conversion(f"{name} <> 0")
    if was == BOOLEAN and now in NUMBERS:
        return Conversion(f"{name}::integer")
    if now in _JSON and was not in (*STRINGS, *_JSON):
        return Conversion(f"to_{now}({name})")
    if now == "bytea" and was in STRINGS:
        return Conversion(f"convert_to({name}, 'UTF8')")
    if was == "bytea" and now in STRINGS:
        return Conversion(f"convert_from({name}, 'UTF8')")
    if was.endswith("multirange") and now == was.replace("multirange", "range"):
        return Conversion(f"range_merge({name})", "A value of several ranges becomes the one that spans them.")
    return _seconds(name, was, now)


def _seconds(name: str, was: str, now: str) -> Conversion | None:
    if was in ("timestamp", "timestamp tz", "interval") and now in NUMBERS:
        return Conversion(f"extract(epoch FROM {name})", _SECONDS)
    if was not in NUMBERS:
        return None
    if now == "interval":
        return Conversion(f"make_interval(secs => {name})", _SECONDS)
    if now in ("timestamp", "timestamp tz"):
        zone = " AT TIME ZONE 'UTC'" if now == "timestamp" else ""
        return Conversion(f"to_timestamp({name}){zone}", _SECONDS)
    return None


def _from_array(name: str, target: Printed, after: str) -> Conversion:
    if key(target) in STRINGS:
        return Conversion(f"array_to_string({name}, ',')", _COMMAS)
    return Conversion(f"{name}[1]::text::{after}", "Of each array only the first element is kept.")


def _to_array(name: str, source: Printed, after: str) -> Conversion:
    was = key(source)
    if was in STRINGS:
        cast = "" if after == "text[]" else f"::{after}"
        return Conversion(f"string_to_array({name}, ','){cast}", _COMMAS)
    if was in _JSON:
        # An escape other than \" and \\ means another thing in an array's text: there the plain cast fails.
        inside = f"'{{' || substr({name}::text, 2, length({name}::text) - 2) || '}}'"
        escaped = rf"""{name}::text ~ '\\[^"\\]'"""
        return Conversion(f"(CASE WHEN {escaped} THEN {name}::text ELSE {inside} END)::{after}")
    return Conversion(f"CASE WHEN {name} IS NOT NULL THEN ARRAY[{name}]::text[]::{after} END")
