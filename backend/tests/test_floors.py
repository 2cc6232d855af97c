"""The floors of the house: what may import what. Nothing is run: the imports are read from the text."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

BACKEND = Path(__file__).resolve().parents[1]

# postgres <- safety, postgres <- settings <- db | inference <- api, and course on db and inference. A floor may import
# itself and what is named here.
BELOW = {
    "postgres": set[str](),
    "settings": {"postgres"},
    "db": {"settings", "postgres"},
    "safety": {"postgres"},
    "inference": {"settings", "postgres"},
    "course": {"settings", "postgres", "db", "inference"},
    "api": {"settings", "postgres", "db", "safety", "inference"},
}


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relative to itself"
            yield f"{node.module}.{node.names[0].name}" if node.module == "src" else str(node.module)


def files(floor: str) -> list[Path]:
    """The files of a floor."""
    folder = BACKEND / "src" / floor
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


@pytest.mark.parametrize("floor", BELOW)
def test_a_floor_stands_only_on_those_below(floor: str) -> None:
    allowed = BELOW[floor] | {floor}
    for path in files(floor):
        ours = {name.split(".")[1] for name in imported(path) if name.startswith("src.")}
        assert ours <= allowed, f"{path.relative_to(BACKEND)} imports src.{', src.'.join(sorted(ours - allowed))}"


def test_no_two_files_need_each_other() -> None:
    needs = {
        ".".join(path.relative_to(BACKEND).with_suffix("").parts): set(imported(path))
        for path in (BACKEND / "src").rglob("*.py")
        if path.name != "__init__.py"
    }
    tuple(TopologicalSorter(needs).static_order())  # raises CycleError, which names them


def test_every_room_has_its_floor() -> None:
    rooms = {path.stem for path in (BACKEND / "src").iterdir() if path.name not in ("__init__.py", "__pycache__")}
    assert rooms <= set(BELOW)


def test_below_the_toolkit_nobody_knows_alembic() -> None:
    for path in [*files("settings"), *files("postgres"), *files("db")]:
        assert not [name for name in imported(path) if name.partition(".")[0] == "alembic"], path.name


def test_revisions_import_nothing_of_the_application() -> None:
    for path in (BACKEND / "migrations" / "versions").glob("*.py"):
        assert not [name for name in imported(path) if name.partition(".")[0] == "src"], path.name


def test_env_py_is_the_one_call() -> None:
    body = ast.parse((BACKEND / "migrations" / "env.py").read_text(encoding="utf-8")).body
    assert [type(node) for node in body] == [
        ast.Expr,
        ast.ImportFrom,
        ast.ImportFrom,
        ast.ImportFrom,
        ast.Assign,
        ast.Expr,
    ]
