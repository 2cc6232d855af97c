"""What a user of the command line can mend: his files, his database."""

from pathlib import Path

from src.postgres.errors import UserError


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
