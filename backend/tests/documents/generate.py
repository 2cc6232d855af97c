"""`python -m tests.documents.generate`, run in backend/: writes the pages that are made from the code."""

from collections.abc import Callable

from tests.documents import pages
from tests.documents.operations import operations
from tests.paths import BACKEND
from tests.servers import embedded

REFERENCE = BACKEND.parent / "docs" / "reference"
HOW = "Run in backend/: python -m tests.documents.generate"
PAGES: dict[str, Callable[[], str]] = {
    "settings.md": pages.settings,
    "exit-codes.md": pages.exit_codes,
    "verbs.md": pages.verbs,
    "lint.md": pages.lint,
    "twelve-projects.md": pages.adopted,
}
"""What is read from the code alone. The page of operations needs a server."""
VERSION = 18
"""Of PostgreSQL, whose steps the page of operations shows."""


def main() -> None:
    """Write them all."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
    with embedded(VERSION) as server, server.database() as url:
        (REFERENCE / "operations.md").write_text(operations(url), encoding="utf-8")


if __name__ == "__main__":
    main()
