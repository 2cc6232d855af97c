"""The verbs and the kit work for projects that are laid out unlike ours."""

import shutil
from pathlib import Path

import pytest
from alembic.config import Config

from alembic_online.cli.main import main
from alembic_online.cli.verb import COULD_NOT_RUN, FINE
from alembic_online.revisions.project import open_project
from alembic_online.testing.defaults import unstable_defaults
from alembic_online.testing.round_trip import RoundTrip
from tests.alembic_online.project import Project, make_project

NOWHERE = "postgresql://nobody@127.0.0.1:9/nowhere"
TABLE = 'op.create_table("books", sa.Column("id", sa.Integer), sa.PrimaryKeyConstraint("id", name="pk_books"))'
PYPROJECT = """\
[tool.alembic]
script_location = "%(here)s/db"
version_locations = ["%(here)s/revisions"]
prepend_sys_path = ["%(here)s/lib"]
"""


def _of_pyproject(folder: Path) -> None:
    """Nothing is in an ini file: not where the revisions are, nor where the models are imported from."""
    (folder / "db").mkdir()
    project = make_project(folder / "db")
    project.models("from shelf import declare\ndeclare(metadata)")
    project.revision("001_books", None, TABLE, 'op.drop_table("books")')
    (folder / "db" / "alembic.ini").unlink()
    (folder / "db" / "versions").rename(folder / "revisions")
    (folder / "lib").mkdir()
    models = (
        'def declare(metadata):\n    Table("books", metadata, Column("id", Integer, primary_key=True, default=7))\n'
    )
    (folder / "lib" / "shelf.py").write_text(f"from sqlalchemy import Column, Integer, Table\n{models}")
    (folder / "pyproject.toml").write_text(PYPROJECT)


def test_a_project_of_pyproject_toml_alone(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _of_pyproject(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)
    assert main(["plan"]) == FINE
    assert "001_books" in capsys.readouterr().out
    opened = open_project(Config("alembic.ini", toml_file="pyproject.toml"))
    walk = RoundTrip.along(opened, None)
    assert (walk.findings, list(walk.made), list(unstable_defaults(opened))) == ([], ["001_books"], [])


def test_the_database_is_the_one_that_env_py_names(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.revision("001_books", None, TABLE, 'op.drop_table("books")')
    env = project.folder / "env.py"
    env.write_text(env.read_text().replace('"DATABASE_URL"', '"SHOP_URL"'))
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    monkeypatch.setenv("SHOP_URL", database)
    monkeypatch.chdir(project.folder)
    assert main(["history"]) == FINE
    assert main(["plan"]) == FINE
    assert "001_books" in capsys.readouterr().out


def test_a_path_that_alembic_cannot_read_is_a_sentence(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "100% sure"
    odd.mkdir()
    shutil.copy(project.folder / "alembic.ini", odd)
    monkeypatch.chdir(odd)
    assert main(["plan"]) == COULD_NOT_RUN
    assert capsys.readouterr().err.startswith("Alembic cannot read alembic.ini: '%' must be followed by")
