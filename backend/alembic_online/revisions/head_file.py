"""`head.txt` beside env.py names the head: two branches that both add a revision conflict in git, and not at deploy.

Their revisions are two files, which git merges without a word; this line it cannot. `alembic revision` and
`alembic merge` write it, of any project; it is looked at where revisions are made and compared, never by an upgrade.
"""

from pathlib import Path
from typing import Any

from alembic.script import Script, ScriptDirectory

from alembic_online.errors import BrokenChain
from alembic_online.runtime.current_command import Command

FILE_NAME = "head.txt"  # and not HEAD, which git would no longer tell from its own
_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


def head_file(scripts: ScriptDirectory) -> Path:
    """Where it is, or would be."""
    return Path(scripts.dir) / FILE_NAME


def write_heads(scripts: ScriptDirectory) -> None:
    """Name the heads, a line each."""
    lines = [f"{head}\n" for head in sorted(scripts.get_heads())]
    head_file(scripts).write_text("".join(lines), encoding="utf-8")


def conflicting_heads(scripts: ScriptDirectory) -> tuple[list[str], list[str]] | None:
    """What the two sides of git's conflict in the file say, ours first; None where there is no conflict."""
    sides: list[list[str]] = []
    taking = False
    for line in _lines(scripts):
        if line.startswith(_MARKERS):
            taking = line.startswith(("<<<<<<<", "======="))
            sides += [[]] if taking else []
        elif taking:
            sides[-1].append(line)
    return (sides[0], sides[1]) if len(sides) > 1 else None


def check_head_file(scripts: ScriptDirectory) -> None:
    """Raise `BrokenChain` for a file that does not name the heads; a project without one is fine."""
    lines, heads = _lines(scripts), sorted(scripts.get_heads())
    if not head_file(scripts).exists() or sorted(lines) == heads:
        return
    if any(line.startswith(_MARKERS) for line in lines):
        raise BrokenChain(
            f"{FILE_NAME} has a conflict: another branch added a revision too.",
            "Put yours on top of theirs: python -m alembic_online rebase\nOr, if both are deployed: alembic merge",
        )
    said, ends = (" and ".join(names) or "nothing" for names in (lines, heads))
    raise BrokenChain(
        f"{FILE_NAME} says {said}, and the chain ends at {ends}.",
        f"If no revision file is missing, write into it: {ends} (a line each).\n"
        "With `revision_environment = true` in alembic.ini, each new revision writes it.",
    )


def keep_head_file(command: Command) -> None:
    """Look at it for `revision` and `check`, and have what writes a new revision write it too. Raises `BrokenChain`."""
    scripts = command.scripts
    if command.name in ("revision", "check"):
        check_head_file(scripts)
    # Alembic writes the file of a revision when env.py is done.
    write = scripts.generate_revision

    def written(*arguments: Any, **options: Any) -> Script | None:
        script = write(*arguments, **options)
        write_heads(scripts)
        return script

    scripts.generate_revision = written  # type: ignore[method-assign]


def _lines(scripts: ScriptDirectory) -> list[str]:
    path = head_file(scripts)
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
