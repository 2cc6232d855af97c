"""The casts between PostgreSQL's own types (pg_cast, PostgreSQL 16 to 18), by names without modifiers; ` tz` is with
time zone."""

from typing import NamedTuple


class Conversion(NamedTuple):
    """`using` is None where PostgreSQL needs none; `remark` says what becomes of the rows where that is not plain."""

    using: str | None = None
    remark: str | None = None


BOOLEAN = "boolean"
WHOLE = ("smallint", "integer", "bigint")
NUMBERS = (*WHOLE, "numeric", "real", "double precision")
STRINGS = ("text", "character varying", "character", "name", "bpchar")
_RANGES = [f"{name}range" for name in ("int4", "int8", "num", "date", "ts", "tstz")]

ASSIGNED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("smallint", "real", "double precision"), NUMBERS),
    **dict.fromkeys(("integer", "bigint", "numeric"), (*NUMBERS, "money")),
    "date": ("timestamp", "timestamp tz"),
    "timestamp": ("timestamp tz", "date", "time"),
    "timestamp tz": ("timestamp", "date", "time", "time tz"),
    "time": ("interval", "time tz"),
    "time tz": ("time",),
    "interval": ("time",),
    "json": ("jsonb",),
    "jsonb": ("json",),
    "cidr": ("inet",),
    "macaddr": ("macaddr8",),
    "macaddr8": ("macaddr",),
    "bit": ("bit varying",),
    "bit varying": ("bit",),
    "money": ("numeric",),
    "box": ("polygon",),
    "point": ("box",),
    "path": ("polygon",),
    "polygon": ("path",),
}
"""The implicit and the assignment casts. To a string there is one from every type."""

EXPLICIT: dict[str, tuple[str, ...]] = {
    "integer": (BOOLEAN, "bit"),
    "bigint": ("bit",),
    "bit": ("integer", "bigint"),
    "inet": ("cidr",),
    "jsonb": (*NUMBERS, BOOLEAN),
    **{name: (name.replace("range", "multirange"),) for name in _RANGES},
}
"""Those that must be written. From a string there is one to every type."""

_ROUNDED = "The numbers are rounded."
_ZONE = "Read in the time zone of the session: run it in the one that the values are meant in."
LOSSY: dict[tuple[str, str], str] = {
    **{(was, now): _ROUNDED for was in ("numeric", "real", "double precision") for now in WHOLE},
    ("double precision", "real"): _ROUNDED,
    ("timestamp", "timestamp tz"): _ZONE,
    ("timestamp tz", "timestamp"): _ZONE,
    ("timestamp", "date"): "The time of day is lost.",
    ("timestamp tz", "date"): "The time of day is lost.",
}
"""What a reader should know of a conversion that never fails."""
