"""One text for what PostgreSQL prints in two ways.

`x IN ('a', 'b')` on a varchar is printed as `x::text = ANY ((ARRAY['a'::varchar, 'b'::varchar])::text[])`; that text,
parsed and printed again, is `... ANY (ARRAY[('a'::varchar)::text, ...])` (all versions to 18: a cast of an
array constructor is pushed to its elements by the parser). Both mean the same, so the second form stands for both.
"""

import re

_ELEMENT = r"'(?:[^']|'')*'::[a-z ]+(?:\(\d+\))?"
_CAST_OF_ARRAY = re.compile(rf"\(ARRAY\[({_ELEMENT}(?:, {_ELEMENT})*)\]\)::([a-z ]+)\[\]")
_ELEMENTS = re.compile(_ELEMENT)


def normal(printed: str) -> str:
    """`printed` with every cast of an array of constants as an array of casts."""
    if "(ARRAY[" not in printed:
        return printed
    return _CAST_OF_ARRAY.sub(_casts, printed)


def _casts(match: re.Match[str]) -> str:
    elements = (f"({element})::{match[2]}" for element in _ELEMENTS.findall(match[1]))
    return f"ARRAY[{', '.join(elements)}]"
