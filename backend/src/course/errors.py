"""What a user of the command line can mend: his files, his database."""

from pathlib import Path

from alembic_online.postgres.errors import UserError


class CourseInvalid(UserError):
    """A file that cannot be read as part of a course; nothing was imported."""

    exit_code = 1

    def __init__(self, path: Path, line: int | None, problem: str, remedy: str) -> None:
        place = str(path) if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: {problem}.", remedy)


class NotMigrated(UserError):
    """The database has not the tables that this code writes."""

    exit_code = 1

    def __init__(self, place: str) -> None:
        super().__init__(f"The schema of {place} is not the one of this code.", "Run: alembic upgrade head")


class NoEmbeddingService(UserError):
    """The settings name no service that makes vectors."""

    exit_code = 1

    def __init__(self) -> None:
        super().__init__(
            "No embedding service is configured.",
            "Set EMBEDDINGS_URL to one of OpenAI's API, such as https://api.example.org/v1, and EMBEDDINGS_API_KEY.",
        )


class EmbeddingStopped(UserError):
    """The service failed at a chapter; those before it are done."""

    exit_code = 1

    def __init__(self, reason: str, *, done: int, total: int) -> None:
        super().__init__(
            f"{reason} {done} of {total} chapters were done before.", "Run it again: it goes on where it stopped."
        )
