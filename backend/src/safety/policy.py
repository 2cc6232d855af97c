"""What may be decided otherwise, in one frozen object; its defaults are right for production."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from src.safety.errors import RequestRefused

PREFIX = "MIGRATION_"


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of a migration. Each is also a variable of the environment: `MIGRATION_` and its name in capitals."""

    connect_patience: float = 30.0
    """Seconds to wait for a server that says it is starting or shutting down."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Policy":
        """Read the variables that are set. Raises `RequestRefused` for a value that is not a number of 0 or more."""
        given = {field.name: f"{PREFIX}{field.name.upper()}" for field in fields(cls)}
        return cls(**{name: _number(environ, variable) for name, variable in given.items() if variable in environ})


def _number(environ: Mapping[str, str], variable: str) -> float:
    text = environ[variable]
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise RequestRefused(f"{variable} is {text!r}.", "Set it to a number of seconds, 0 or more.")
    return value
