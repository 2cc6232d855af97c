"""The environment, read once into one frozen `Settings`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED_URL = f"embedded://{quote(ROOT.as_posix())}/.postgres"


class Variable(str):
    """A value that remembers the environment variable it came from, so that an error can name it."""

    name: str

    def __new__(cls, value: str, name: str) -> "Variable":
        variable = super().__new__(cls, value)
        variable.name = name
        return variable


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment decides. URLs are checked where they are used: there the error becomes a sentence."""

    database_url: str
    migration_url: str
    environment: str = "development"
    """`development`, or `production`, which makes every guard strict."""
    secret_key: str = ""
    """Signs tokens; without one, development makes its own and production refuses to start."""
    course_language: str = "en"
    """The language that the course is written in, a BCP 47 tag; translations are into others."""


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; with no `DATABASE_URL` everything runs on the embedded PostgreSQL in `.postgres/`.

    `MIGRATION_DATABASE_URL` is for migrations alone: the direct URL where `DATABASE_URL` leads through a pooler.
    """
    database_url = _variable(environ, "DATABASE_URL", EMBEDDED_URL)
    return Settings(
        database_url=database_url,
        migration_url=_variable(environ, "MIGRATION_DATABASE_URL", database_url),
        environment=environ.get("SYLLABUS_ENV", "development"),
        secret_key=environ.get("SECRET_KEY", ""),
        course_language=environ.get("COURSE_LANGUAGE", "en"),
    )


def _variable(environ: Mapping[str, str], name: str, default: str) -> str:
    # One that is set and empty is not unset: a secret that did not arrive must not lead to an empty private database.
    return Variable(environ[name], name) if name in environ else default
