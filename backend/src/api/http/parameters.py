"""A request's parameters as FastAPI reads them, with everything looked up once that does not change between requests.

FastAPI asks of each parameter with each request what its type is and by which names it goes, which takes several times
as long as to check the value. Here only good values are read; for any other FastAPI itself is asked, so that a client
gets its words.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi._compat import ModelField, field_annotation_is_scalar
from fastapi.dependencies.utils import request_params_to_args

_FIXED = (str, int, float, type(None))
"""Defaults that nobody can change, and which need no copy."""


class Parameters:
    """The parameters of one function that stand in one place: the path, the query, or the headers."""

    def __init__(self, fields: Sequence[ModelField]) -> None:
        self._fields = fields
        self._is_plain = all(map(_is_plain, fields))

    def read(self, received: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """The function's arguments by name, and what is wrong with them."""
        if self._is_plain and (values := self._read_plain(received)) is not None:
            return values, []
        return request_params_to_args(self._fields, received)

    def _read_plain(self, received: Mapping[str, Any]) -> dict[str, Any] | None:
        values = {}
        for field in self._fields:
            text = received.get(field.alias)
            if text is None:
                if field.field_info.is_required():
                    return None
                values[field.name] = field.field_info.default
                continue
            values[field.name], errors = field.validate(text)
            if errors:
                return None
        return values


def _is_plain(field: ModelField) -> bool:
    """One value under one name, with a default that is taken as it is, or none."""
    info = field.field_info
    is_fixed = info.is_required() or (info.default_factory is None and isinstance(info.default, _FIXED))
    is_named = field.validation_alias in (None, field.alias)
    return is_fixed and is_named and not info.validate_default and field_annotation_is_scalar(info.annotation)
