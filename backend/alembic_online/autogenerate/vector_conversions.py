"""pgvector's types: vectors of other dimensions, and vector, halfvec, sparsevec, bit and arrays from one to another.

pgvector casts none to another number of dimensions. What is written cuts the vectors that exist, or fills them up with
zeros: that works on every table, and the way down brings back what was there.
"""

from alembic_online.autogenerate.casts import Conversion
from alembic_online.autogenerate.column_types import Printed
from alembic_online.autogenerate.context import quoted
from alembic_online.autogenerate.search_path_names import shortened

_VECTORS = ("vector", "halfvec", "sparsevec")
_NUMBERS = ("integer", "real", "double precision", "numeric")
_REBUILT = "compute them again, for no model makes such ones."


def is_vector(parsed: Printed) -> bool:
    """Whether it is one of pgvector's own types, and no array of them."""
    return parsed.name in _VECTORS and bool(parsed.schema) and not parsed.array


def is_array_of_vectors(parsed: Printed) -> bool:
    """Whether it is an array of one of them."""
    return parsed.array and is_vector(parsed._replace(array=False))


def arrays(column: str, source: Printed, target: Printed, default: str) -> Conversion:
    """From one array of vectors to another. An expression of ALTER TYPE may hold no query over the elements, so they
    are cut or filled up in the text of the whole array; the bounds that it may begin with, `[2:3]=`, stay."""
    before, after = source.number, target.number
    if after is None or before == after:
        return Conversion()
    if before is None:
        return Conversion(remark=f"Fails if there is a vector of other than {after} dimensions.")
    prefix = "" if target.schema == default else f"{target.schema}."
    dense = f"{column}::{prefix}vector[]" if source.name == "sparsevec" else column
    if after > before:
        pattern, fitted = r'"?(\[[^]:[]+)\]"?', rf'"\1{",0" * (after - before)}]"'
    else:
        numbers = "[^],:[]+" if after == 1 else f"(?:[^],:[]+,){{{after - 1}}}[^],:[]+"
        pattern, fitted = rf"\[({numbers})(?:,[^],:[]+)+\]", r"[\1]"
    through = f"{prefix}{'vector' if target.name == 'sparsevec' else target.name}"
    return Conversion(
        f"regexp_replace({dense}::text, '{pattern}', '{fitted}', 'g')::{through}({after})[]", _becomes(before, after)
    )


def vectors(column: str, source: Printed, target: Printed, default: str) -> Conversion | None:
    """One of the two is a vector; None where the other is nothing that has to do with vectors.

    `default` is the schema whose name may be left out.
    """
    schema = source.schema if is_vector(source) else target.schema
    prefix = "" if schema == default else shortened(quoted(schema, "vector")).removesuffix("vector")
    if not is_vector(source):
        return _to_vector(column, source, target, prefix)
    if is_vector(target):
        return _resized(column, source, target, prefix)
    if target.name == "bit" and not target.array:
        return _to_bits(column, source, target, prefix)
    if target.array and target.name in _NUMBERS:
        through = f"::{prefix}vector" if source.name == "sparsevec" else ""
        return Conversion(None if target.name == "real" and not through else f"{column}{through}::real[]")
    return None


def _to_vector(column: str, source: Printed, target: Printed, prefix: str) -> Conversion | None:
    if source.array and source.name in _NUMBERS:
        return Conversion()
    if source.name == "bit" and not source.array:
        numbers = f"('[' || array_to_string(string_to_array({column}::text, NULL), ',') || ']')::{prefix}vector"
        fitted = _fitted(numbers, "vector", (source.number, target.number), prefix)
        return Conversion(fitted, _becomes(source.number, target.number))
    return None


def _to_bits(column: str, source: Printed, target: Printed, prefix: str) -> Conversion:
    base, dense = _dense(column, source, prefix)
    fitted = _fitted(dense, base, (source.number, target.number), prefix)
    return Conversion(
        f"{prefix}binary_quantize({fitted})::bit({target.number})", "Of each number only its sign is kept: 1 above 0."
    )


def _resized(column: str, source: Printed, target: Printed, prefix: str) -> Conversion:
    """To the same or another of the three types, cut or filled up if the dimensions ask for it."""
    if target.number is None or source.number == target.number:
        return Conversion()
    if source.number is None:
        return Conversion(remark=f"Fails if there is a vector of other than {target.number} dimensions.")
    base, dense = _dense(column, source, prefix)
    fitted = _fitted(dense, base, (source.number, target.number), prefix)
    return Conversion(fitted, _becomes(source.number, target.number))


def _dense(column: str, source: Printed, prefix: str) -> tuple[str, str]:
    """The type that has functions to cut and to join, and the column as that type."""
    if source.name == "sparsevec":
        return "vector", f"{column}::{prefix}vector"
    return source.name, column


def _fitted(value: str, base: str, dimensions: tuple[int | None, int | None], prefix: str) -> str:
    before, after = dimensions
    if before is None or after is None or before == after:
        return value
    if after < before:
        return f"{prefix}subvector({value}, 1, {after})"
    plus = f"OPERATOR({prefix}||)" if prefix else "||"
    return f"{value} {plus} array_fill(0, ARRAY[{after - before}])::{prefix}{base}"


def _becomes(before: int | None, after: int | None) -> str | None:
    if before is None or after is None or before == after:
        return None
    what = "cut to" if after < before else "filled up with zeros to"
    return f"The vectors that exist are {what} {after} dimensions: {_REBUILT}"
