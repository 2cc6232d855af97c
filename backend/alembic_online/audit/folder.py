"""Which project a folder holds, as `alembic` would find it; also one that is not at the top of its repository."""

import os
import tomllib
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from alembic.config import Config

from alembic_online.errors import RequestRefused
from alembic_online.text import listed

_DEPTH = 4  # of folders below the one that is named
_NOT_THEIRS = frozenset({"node_modules", "site-packages", "venv", "env", "build", "dist", "__pycache__"})


def find_project(folder: Path) -> Path:
    """The folder in which `alembic` is run: this one, or the only one below it.

    Raises `RequestRefused` for none, or more than one.
    """
    if not folder.is_dir():
        raise RequestRefused(f"There is no folder {folder}.", "Name the folder of an Alembic project.")
    if _is_project(folder):
        return folder.resolve()
    found = list(_below(folder, _DEPTH))
    if len(found) == 1:
        return found[0].resolve()
    names = listed(each.relative_to(folder).as_posix() for each in found)
    if not found:
        raise RequestRefused(
            f"There is no Alembic project in {folder}: no alembic.ini, no [tool.alembic], no env.py beside versions/.",
            "Name the folder from which alembic is run.",
        )
    raise RequestRefused(f"There are several Alembic projects in {folder}: {names}.", "Name one of them.")


def _is_project(folder: Path) -> bool:
    return (folder / "alembic.ini").is_file() or _has_toml(folder / "pyproject.toml") or _is_environment(folder)


def _is_environment(folder: Path) -> bool:
    return (folder / "env.py").is_file() and (folder / "versions").is_dir()


def _has_toml(path: Path) -> bool:
    try:
        return path.is_file() and "alembic" in tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False  # whoever reads it for its sake says what is wrong with it


def _below(folder: Path, depth: int) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    for name in names:
        if not name.startswith(".") and name not in _NOT_THEIRS and depth > 0:
            if _is_project(folder / name):
                yield folder / name
            else:
                yield from _below(folder / name, depth - 1)


def config_of(folder: Path, x_arguments: Sequence[str] | None = None) -> Config:
    """Its configuration; the working directory is `folder`, for paths in it are relative to that.

    An ini that lies beside env.py may say nothing of where the scripts are, as Flask-Migrate's, or say it from another
    folder, as one inside of a package: then they are where it is.
    """
    typed = Namespace(x=[*x_arguments]) if x_arguments else None
    config = Config("alembic.ini", toml_file="pyproject.toml", cmd_opts=typed)
    said = config.get_alembic_option("script_location")
    if _is_environment(folder) and (said is None or (":" not in said and not Path(said).is_dir())):
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config
