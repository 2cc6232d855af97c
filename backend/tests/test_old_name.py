"""The toolkit's old names, `src.safety` and `src.postgres`, go on working for a release and say the new ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import BACKEND

pytestmark = pytest.mark.programs

INI = """
[alembic]
script_location = .
file_template = %%(rev)s
"""
ENV = """
import os
from models import metadata
from src.safety import run_environment
from src.settings import Variable
run_environment(metadata, url=Variable(os.environ["DATABASE_URL"], "DATABASE_URL"))
"""
MODELS = """
from sqlalchemy import Column, Integer, MetaData, Table
from src.postgres.declared import Extension, SQLObject, declare
from src.safety.commands import upgrade
from src.safety.testing import test_migrations
metadata = MetaData()
Table("author", metadata, Column("id", Integer, primary_key=True))
declare(metadata, SQLObject("CREATE VIEW authors AS SELECT id FROM author"))
"""


def test_the_old_name_of_the_command_says_the_new_one_and_works() -> None:
    command = [sys.executable, "-m", "src.safety", "--help"]
    done = subprocess.run(command, cwd=BACKEND, capture_output=True, text=True, check=True)
    assert "src.safety is called alembic_online now" in done.stderr
    assert "usage: alembic-online" in done.stdout


def test_an_env_py_with_the_old_names_works_and_says_the_new_ones(database: str, tmp_path: Path) -> None:
    for name, text in {"alembic.ini": INI, "env.py": ENV, "models.py": MODELS}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "versions").mkdir()
    (tmp_path / "script.py.mako").write_bytes((BACKEND / "migrations/script.py.mako").read_bytes())
    environ = os.environ | {"DATABASE_URL": database, "PYTHONPATH": f"{BACKEND}{os.pathsep}{tmp_path}"}
    alembic = str(Path(sys.executable).with_name("alembic"))

    def run(*words: str) -> str:
        done = subprocess.run([alembic, *words], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    said = run("revision", "--autogenerate", "-m", "one")
    assert "src.safety is called alembic_online now" in said
    assert "src.postgres is called alembic_online.postgres now" in said
    run("upgrade", "head")
    run("check")
