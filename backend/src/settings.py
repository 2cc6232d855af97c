"""The environment, read once into one frozen `Settings`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from alembic_online.postgres.variable import Variable

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED_URL = f"embedded://{quote(ROOT.as_posix())}/.postgres"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service that speaks OpenAI's HTTP API, and which of its models to ask."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    variable: str = "the address"
    """Where the address comes from, for errors."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment decides. URLs are checked where they are used: there the error becomes a sentence."""

    database_url: str
    migration_url: str
    environment: str = "development"
    """`development`, or `production`, which makes every guard strict."""
    secret_key: str = field(default="", repr=False)
    """Signs tokens; without one, development makes its own and production refuses to start."""
    cors_origins: tuple[str, ...] = ()
    """Web pages of these origins may call the API from a browser, such as `https://learn.example.org`."""
    replica_url: str | None = None
    """A streaming replica of `database_url`, which reads may go to."""
    course_language: str = "en"
    """The language that the course is written in, a BCP 47 tag; translations are into others."""
    embeddings: Endpoint | None = None
    """Makes vectors of texts; without it, search is by words alone."""
    chat: Endpoint | None = None
    """Answers questions; without it, nobody can ask any."""
    searches_per_minute: str = "60"
    """Texts of one account's searches that `embeddings` is asked for; more are looked for by words alone."""
    questions_per_minute: str = "20"
    """Questions of one account that `chat` is asked; more are refused."""

    @property
    def is_production(self) -> bool:
        """Anything but development is: a misspelling must not open a guard."""
        return self.environment != "development"


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
        cors_origins=tuple(environ.get("CORS_ORIGINS", "").replace(",", " ").split()),
        replica_url=_variable(environ, "DATABASE_REPLICA_URL", "") or None,
        course_language=environ.get("COURSE_LANGUAGE", "en"),
        embeddings=_endpoint(environ, "EMBEDDINGS", "text-embedding-3-small"),
        chat=_endpoint(environ, "CHAT", "gpt-4o-mini"),
        searches_per_minute=environ.get("SEARCHES_PER_MINUTE", "60"),
        questions_per_minute=environ.get("QUESTIONS_PER_MINUTE", "20"),
    )


def _endpoint(environ: Mapping[str, str], name: str, model: str) -> Endpoint | None:
    variable = f"{name}_URL"
    if variable not in environ:
        return None
    model, key = environ.get(f"{name}_MODEL", model), environ.get(f"{name}_API_KEY", "")
    return Endpoint(environ[variable], model, key, variable)


def _variable(environ: Mapping[str, str], name: str, default: str) -> str:
    # One that is set and empty is not unset: a secret that did not arrive must not lead to an empty private database.
    return Variable(environ[name], name) if name in environ else default
