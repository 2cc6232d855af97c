"""Small Alembic projects for tests: revision files that change nothing, in any chain."""

from collections.abc import Mapping
from pathlib import Path

from alembic.script import ScriptDirectory

Parents = str | tuple[str, ...] | None


def write_revisions(
    folder: Path, parents: Mapping[str, Parents], *, depends_on: Mapping[str, Parents] | None = None
) -> ScriptDirectory:
    """One file for each revision of `parents` in `folder`/versions; returns the directory, loaded."""
    versions = folder / "versions"
    versions.mkdir(parents=True)
    for revision, parent in parents.items():
        needed = (depends_on or {}).get(revision)
        (versions / f"{revision}.py").write_text(
            f"revision = {revision!r}\ndown_revision = {parent!r}\ndepends_on = {needed!r}\nbranch_labels = None\n"
            "def upgrade():\n    pass\ndef downgrade():\n    pass\n"
        )
    scripts = ScriptDirectory(str(folder))
    scripts.get_heads()
    return scripts


def chain(length: int) -> dict[str, str | None]:
    """`r1` to `r<length>`, each with the one before it as its parent."""
    return {f"r{number}": f"r{number - 1}" if number > 1 else None for number in range(1, length + 1)}
