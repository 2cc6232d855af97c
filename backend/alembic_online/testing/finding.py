"""What the kit finds."""

from dataclasses import dataclass

from alembic_online.postgres.errors import UserError


@dataclass(frozen=True)
class Finding:
    """One promise that one revision breaks."""

    check: str
    revision: str
    """Empty for what concerns the chain as a whole."""
    words: str

    def __str__(self) -> str:
        return f"{self.revision}: {self.words}" if self.revision else self.words


def in_short(error: UserError) -> str:
    """Why something could not be done, on a line."""
    return " ".join(str(error).splitlines()[:3])
