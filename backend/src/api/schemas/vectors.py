"""A vector in JSON: a list of numbers, or, in a third of the bytes, the base64 of its little-endian 32-bit floats.

The second is what OpenAI's API answers when it is asked for `encoding_format: base64`.
"""

import base64
import binascii
import sys
from array import array
from math import isfinite
from typing import Annotated, Any

from pgvector import Vector
from pydantic import BeforeValidator, InstanceOf, WithJsonSchema

from src.db.vector import DIMENSIONS

_NUMBERS = {"type": "array", "items": {"type": "number"}, "description": f"{DIMENSIONS} numbers"}
_BASE64 = {"type": "string", "format": "byte", "description": f"base64 of {DIMENSIONS} little-endian 32-bit floats"}


def _read(value: Any) -> Vector:
    vector = _vector(value) if isinstance(value, list) else _decode(value)
    numbers = vector.to_list()
    if len(numbers) != DIMENSIONS:
        raise ValueError(f"a vector has {DIMENSIONS} numbers, not {len(numbers)}")
    if not isfinite(sum(numbers)) or not any(numbers):  # what is not finite makes the sum so too
        raise ValueError("the numbers of a vector are finite, and not all zero")
    return vector


def _vector(numbers: list[Any]) -> Vector:
    try:
        return Vector(numbers)
    except OverflowError as error:  # JSON knows integers of four hundred digits
        raise ValueError("a number is too large") from error


def _decode(value: Any) -> Vector:
    try:
        numbers = array("f", base64.b64decode(value, validate=True))
    except (TypeError, ValueError, binascii.Error) as error:
        raise ValueError("a vector is a list of numbers, or the base64 of 32-bit floats") from error
    if sys.byteorder == "big":
        numbers.byteswap()
    return Vector(numbers.tolist())


VectorInput = Annotated[
    InstanceOf[Vector], BeforeValidator(_read), WithJsonSchema({"anyOf": [_NUMBERS, _BASE64], "title": "Vector"})
]
"""A `pgvector.Vector` of the right length, finite, and not zero: that one has no direction."""
