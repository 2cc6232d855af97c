"""New ids for the revisions that move, and their files rewritten by the syntax tree."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import cache_from_source
from pathlib import Path

from alembic_online.postgres.extras import require
from alembic_online.revisions.numbering import NUMBERED, next_revision_id


def new_ids(mine: Sequence[str], others: Iterable[str]) -> dict[str, str]:
    """Old id to new: numbered on from the highest of `others`, in their order. Ids without a number stay."""
    taken = set(others)
    highest = max((int(found[1]) for other in taken if (found := NUMBERED.fullmatch(other))), default=0)
    numbered = {old: found for old in mine if (found := NUMBERED.fullmatch(old))}
    if all(int(found[1]) > highest for found in numbered.values()):
        return {old: old for old in mine}
    names = {old: old for old in mine}
    for old, found in numbered.items():
        names[old] = next_revision_id(found[2], taken)
        taken.add(names[old])
    return names


def renamed(source: str, old: str, parent: str | None, names: Mapping[str, str]) -> str:
    """The text of a revision file with its new id and parent, in its assignments and its docstring."""
    require("libcst", "rebase", "A revision file that gets another id")
    from alembic_online.rebase.renaming import rename  # noqa: PLC0415  its library comes with an extra

    return rename(source, names[old], parent, names)


def move(path: Path, old: str, new: str, source: str) -> Path:
    """Write the file, under a name that has the new id where it had the old one."""
    there = path.with_name(path.name.replace(old, new, 1)) if path.name.startswith(old) else path
    forget(path)
    there.write_text(source, encoding="utf-8")
    if there != path:
        path.unlink()
    return there


def forget(path: Path) -> None:
    """Python keeps the code of a file that changes within the second and not in its size: so it must forget it."""
    Path(cache_from_source(str(path))).unlink(missing_ok=True)
