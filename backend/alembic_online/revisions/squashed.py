"""Revisions that were squashed: one file in `versions/` makes what they made, and they themselves are kept beside it.

`squashed/` beside env.py holds the old files, `versions/` one with the id of the last of them. The chain is the old one
for every database that has begun it, wherever it stands, up and down; a database at base begins with the new file. Who
deletes the folder says that every database is past it.
"""

from collections.abc import Iterator
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap

from alembic_online.alembic_seam import script_of_file, stock_revisions, version_folders
from alembic_online.runtime.current_command import Command

FOLDER = "squashed"


def archive(scripts: ScriptDirectory) -> Path:
    """Where the old files are, or would be."""
    return Path(scripts.dir).resolve() / FOLDER


def revision_folders(scripts: ScriptDirectory) -> set[Path]:
    """Where a revision's file may be."""
    return {archive(scripts), *(folder.resolve() for folder in version_folders(scripts))}


def link_old_files(scripts: ScriptDirectory) -> None:
    """Have the chain lead through the old files, if there are any; they are imported when it is first asked for."""
    if archive(scripts).is_dir():
        scripts.revision_map = RevisionMap(lambda: _whole_chain(scripts))


def begin_with_squashed(command: Command) -> None:
    """A database at base is upgraded by the squashed file, unless it is to stop at one of the old ones."""
    scripts = command.scripts
    if command.name != "upgrade" or command.start or not archive(scripts).is_dir():
        return
    squashed = {script.revision for script in stock_revisions(scripts)}
    old = {script.revision for script in scripts.walk_revisions()} - squashed
    if not any(revision.startswith(name) for name in command.destination for revision in old):
        scripts.revision_map = RevisionMap(lambda: stock_revisions(scripts))


def files_of(scripts: ScriptDirectory, script: Script) -> list[Path]:
    """The files that a database may have applied as this revision: its own, and the one that stands for it."""
    path = Path(script.path)
    if path.parent != archive(scripts):
        return [path]
    return [path, *(file for folder in version_folders(scripts) if (file := folder / path.name).exists())]


def _whole_chain(scripts: ScriptDirectory) -> Iterator[Script]:
    paths = sorted(archive(scripts).glob("[!._]*.py"))
    old = [script for path in paths if (script := script_of_file(scripts, path))]
    ids = {script.revision for script in old}
    yield from old
    yield from (script for script in stock_revisions(scripts) if script.revision not in ids)
