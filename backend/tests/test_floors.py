"""The floors of the house: what may import what. Nothing is run: the imports are read from the text."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import alembic
import pytest

from tests.paths import BACKEND

PACKAGE = BACKEND / "alembic_online"

# settings <- db | inference <- api, and course on db and inference. A floor may import itself and what is named here.
BELOW = {
    "settings": set[str](),
    "db": {"settings"},
    "inference": {"settings"},
    "course": {"settings", "db", "inference"},
    "api": {"settings", "db", "inference"},
    "safety": set[str](),
    "postgres": set[str](),
}
ALEMBIC = Path(alembic.__file__).parent
# Used by Alembic too: of Python and of SQLAlchemy.
NOT_ALEMBICS = {"_replace", "_asdict", "_bindparams", "_create_rule", "_prefixes", "_getframe", "_exit", "_type_bound"}


@cache
def parsed(path: Path) -> ast.Module:
    """The file as a tree."""
    return ast.parse(path.read_bytes())


def statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Each statement, also those inside of others. No expression: they are nine of ten nodes, and import nothing."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from statements(getattr(node, part, ()))


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Every module that the file imports, at its top or inside a function."""
    found: list[str] = []
    for node in statements(parsed(path).body):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relative to itself"
            submodules = [f"{node.module}.{alias.name}" for alias in node.names if is_module(node.module, alias.name)]
            found += submodules or [str(node.module)]
    return tuple(found)


@cache
def is_module(package: str | None, name: str) -> bool:
    """Whether `name` is a file or a folder of our `package`."""
    folder = BACKEND.joinpath(*str(package).split("."))
    return (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists()


def files(floor: str) -> list[Path]:
    """The files of a floor of the service."""
    folder = BACKEND / "src" / floor
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def room(module: str) -> str:
    """The package that `module` is in: a folder of the toolkit, or a file that stands beside the folders."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


@pytest.mark.parametrize("floor", BELOW)
def test_a_floor_stands_only_on_those_below(floor: str) -> None:
    allowed = BELOW[floor] | {floor}
    for path in files(floor):
        ours = {name.split(".")[1] for name in imported(path) if name.startswith("src.")}
        assert ours <= allowed, f"{path.relative_to(BACKEND)} imports src.{', src.'.join(sorted(ours - allowed))}"


def test_no_two_files_need_each_other() -> None:
    needs = {
        ".".join(path.relative_to(BACKEND).with_suffix("").parts): set(imported(path))
        for folder in (BACKEND / "src", PACKAGE)
        for path in folder.rglob("*.py")
        if path.name != "__init__.py"
    }
    tuple(TopologicalSorter(needs).static_order())  # raises CycleError, which names them


def test_no_two_packages_of_the_toolkit_need_each_other() -> None:
    needs: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        here = room(".".join(path.relative_to(BACKEND).with_suffix("").parts).removesuffix(".__init__"))
        there = {room(name) for name in imported(path) if name.partition(".")[0] == "alembic_online"}
        needs.setdefault(here, set()).update(there - {here})
    tuple(TopologicalSorter(needs).static_order())


def test_no_two_rooms_of_the_api_need_each_other() -> None:
    needs: dict[str, set[str]] = {}
    for path in (BACKEND / "src" / "api").rglob("*.py"):
        there = {name.split(".")[2] for name in imported(path) if name.startswith("src.api.")}
        here = path.relative_to(BACKEND / "src" / "api").parts[0].removesuffix(".py")
        needs.setdefault(here, set()).update(there - {here})
    tuple(TopologicalSorter(needs).static_order())


def test_the_toolkit_does_not_know_the_service() -> None:
    for path in (each for each in PACKAGE.rglob("*") if each.suffix in (".py", ".toml", ".md")):
        assert not re.findall(r"\bsrc\b|syllabus", path.read_text(encoding="utf-8"), re.IGNORECASE), path


def test_every_room_has_its_floor() -> None:
    rooms = {path.stem for path in (BACKEND / "src").iterdir() if path.name not in ("__init__.py", "__pycache__")}
    assert rooms - {"README"} <= set(BELOW)


def test_the_page_of_the_service_names_every_room_of_its_api() -> None:
    page = (BACKEND / "src" / "README.md").read_text(encoding="utf-8")
    api = BACKEND / "src" / "api"
    for path in (each for each in api.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()):
        name = f"`api/{path.name}`" if path.suffix else f"`api/{path.name}/`"
        assert path.name == "__init__.py" or name in page, path


def test_below_the_toolkit_nobody_knows_alembic() -> None:
    for path in [*files("settings"), *files("db"), *(PACKAGE / "postgres").rglob("*.py")]:
        assert not [name for name in imported(path) if name.partition(".")[0] == "alembic"], path.name


def test_no_test_module_imports_another() -> None:
    """What two of them need lies in a module of its own, with a plain name."""
    named = re.compile(rb"^\s*(from|import) tests\b[^\n(]*(\([^)]*)?\btest_", re.MULTILINE)
    for path in (each for each in (BACKEND / "tests").rglob("*.py") if named.search(each.read_bytes())):
        others = [name for name in imported(path) if re.search(r"\.test_\w+$", name) and name.startswith("tests.")]
        assert not others, f"{path.relative_to(BACKEND)} imports {', '.join(others)}"


def test_revisions_import_nothing_of_the_application() -> None:
    for path in (BACKEND / "migrations" / "versions").glob("*.py"):
        assert not [name for name in imported(path) if name.partition(".")[0] in ("src", "alembic_online")], path.name


def test_env_py_is_the_one_call() -> None:
    body = ast.parse((BACKEND / "migrations" / "env.py").read_text(encoding="utf-8")).body
    imports = [ast.ImportFrom] * 3
    assert [type(node) for node in body] == [ast.Expr, *imports, ast.Assign, ast.Expr]


def rooms_from_the_lowest() -> list[str]:
    """The rooms of the toolkit in the order of docs/architecture.md."""
    page = (BACKEND.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    lines = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return [name.removesuffix(".py") for line in lines for name in re.findall(r"`([\w.]+)`", line)]


def test_every_room_of_the_toolkit_has_its_line() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert sorted(rooms_from_the_lowest()) == sorted(rooms - {"__init__", "__main__"})


def test_a_room_imports_nothing_of_a_line_below_it() -> None:
    order = rooms_from_the_lowest()
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).with_suffix("").parts[0]
        there = {room(name) for name in imported(path) if name.startswith("alembic_online.")}
        if here in order:
            above = [name for name in there if name in order and order.index(name) > order.index(here)]
            assert not above, f"{path.relative_to(PACKAGE)} imports {', '.join(sorted(above))}"


def private_names(tree: ast.AST) -> set[str]:
    """What is defined in `tree` with one underscore before it: functions, and attributes that are set."""
    nodes = list(ast.walk(tree))
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return {name for name in functions | attributes if is_private(name)}


def is_private(name: str) -> bool:
    return name[0] == "_" and name[1:2].islower()


def private_names_used(path: Path) -> set[str]:
    """Those that the file imports, or reads from anything but its own object."""
    module = parsed(path)
    used = {alias.name for node in statements(module.body) if isinstance(node, ast.ImportFrom) for alias in node.names}
    if b"._" in path.read_bytes():
        attributes = (node for node in ast.walk(module) if isinstance(node, ast.Attribute))
        used |= {node.attr for node in attributes if not _is_self(node.value)}
    return {name for name in used if is_private(name)} - NOT_ALEMBICS


def test_private_names_of_alembic_stand_in_one_file() -> None:
    used = {path: private_names_used(path) for path in PACKAGE.rglob("*.py") if path.name != "alembic_seam.py"}
    words = re.compile(rf"\b({'|'.join(sorted(set().union(*used.values())))})\b".encode())
    texts = [text for path in ALEMBIC.rglob("*.py") if words.search(text := path.read_bytes())]
    theirs = {name for text in texts for name in private_names(ast.parse(text))}
    assert not {path.relative_to(PACKAGE).as_posix(): names & theirs for path, names in used.items() if names & theirs}


def _is_self(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in ("self", "cls")
