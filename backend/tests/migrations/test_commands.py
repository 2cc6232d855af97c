"""The commands of the seed, as a person types them, in processes of their own, from the folders that he stands in.

The first by each door, and each of another kind, is started as a person starts it. For the others a process is forked
that has done the imports, which take longer than most commands.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest

from tests import forked_programs
from tests.alembic_command import Alembic
from tests.alembic_online.project import NOWHERE

pytestmark = pytest.mark.programs

ROOT = Path(__file__).resolve().parents[3]
HEAD = max(path.stem for path in (ROOT / "backend" / "migrations" / "versions").glob("[0-9]*.py"))
ALEMBIC = str(Path(sys.executable).with_name("alembic"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the migrations beside the real code, so that new revisions land in no real folder."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "backend" / "migrations", tmp_path / "backend" / "migrations")
    shutil.copy(ROOT / "backend" / "alembic.ini", tmp_path / "backend")
    for code in ("alembic_online", "src"):
        (tmp_path / "backend" / code).symlink_to(ROOT / "backend" / code)
    return tmp_path


def typed(command: str, folder: Path, url: str) -> str:
    """Run the command line in `folder`; returns what it printed. Fails the test if it fails."""
    done = run(command, folder, url)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def next_typed(command: str, folder: Path, url: str) -> str:
    """The same, forked."""
    done = next_run(command, folder, url)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def next_run(command: str, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """What `run` does, forked."""
    with TemporaryDirectory() as directory:
        log, errors = Path(directory, "stdout"), Path(directory, "stderr")
        program = forked_programs.start(
            "alembic.__main__",
            shlex.split(command)[1:],
            folder=folder,
            environment=os.environ | {"DATABASE_URL": url},
            log=log,
            errors=errors,
        )
        code = program.exit_code()
        program.end()
        return subprocess.CompletedProcess(command, code, log.read_text(), errors.read_text())


def run(command: str, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in `folder` with `DATABASE_URL=url`."""
    words = shlex.split(command)
    environment = os.environ | {"DATABASE_URL": url}
    return subprocess.run(
        [ALEMBIC, *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_commands_of_the_seed_from_backend(checkout: Path, database: str) -> None:
    backend, versions = checkout / "backend", checkout / "backend" / "migrations" / "versions"
    assert typed("alembic current", backend, database) == ""
    next_typed("alembic upgrade head", backend, database)
    assert "(head)" in next_typed("alembic current", backend, database)
    assert "No new upgrade operations detected." in next_typed("alembic check", backend, database)
    assert "Nothing to write" in next_typed(
        'alembic revision --autogenerate -m "description of changes"', backend, database
    )
    next_typed('alembic revision -m "description"', backend, database)
    (made,) = versions.glob("*_description.py")
    assert f"{made.stem} (head), description" in next_typed("alembic history", backend, database)
    next_typed("alembic upgrade head", backend, database)
    next_typed("alembic downgrade -1", backend, database)
    next_typed(f"alembic upgrade {made.stem}", backend, database)
    next_typed("alembic downgrade base", backend, database)
    assert next_typed("alembic current", backend, database) == ""


def test_the_ini_beside_env_py_works_from_the_root_and_from_anywhere(checkout: Path, database: str) -> None:
    typed("alembic -c backend/migrations/alembic.ini upgrade head", checkout, database)
    ini = checkout / "backend" / "migrations" / "alembic.ini"
    elsewhere = checkout / "elsewhere"
    elsewhere.mkdir()
    assert "(head)" in next_typed(f"alembic -c {ini} current", elsewhere, database)
    assert "(head)" in next_typed("alembic -c ../backend/alembic.ini current", elsewhere, database)


def test_the_root_has_a_door_of_its_own(checkout: Path, database: str) -> None:
    typed("alembic upgrade head", checkout, database)
    assert "(head)" in next_typed("alembic current", checkout, database)


def test_sql_of_a_range_is_written_without_any_server(checkout: Path) -> None:
    backend = checkout / "backend"
    next_typed('alembic revision -m "a second one"', backend, NOWHERE)
    (made,) = (backend / "migrations" / "versions").glob("*_a_second_one.py")
    assert "CREATE TABLE users" in next_typed("alembic upgrade head --sql", backend, NOWHERE)
    between = next_typed(f"alembic upgrade {HEAD}:{made.stem} --sql", backend, NOWHERE)
    assert "CREATE TABLE" not in between
    assert made.stem in between
    assert "DROP TABLE users" in next_typed("alembic downgrade 001_initial_schema:base --sql", backend, NOWHERE)


def test_a_refusal_is_on_stderr_with_its_exit_code_and_no_traceback(checkout: Path) -> None:
    refused = run("alembic upgrade head", checkout / "backend", "postgresql://u:secret@localhost:1/d")
    assert refused.returncode == 11
    assert refused.stderr.splitlines()[-2].startswith("Nobody answers for database 'd' at localhost:1 as role 'u'")
    assert "Traceback" not in refused.stderr
    assert "secret" not in refused.stderr + refused.stdout


def test_raiseerr_shows_the_whole_traceback(checkout: Path) -> None:
    refused = next_run("alembic --raiseerr upgrade head", checkout / "backend", "postgresql://u:secret@localhost:1/d")
    assert "Traceback" in refused.stderr


def test_a_folder_without_a_configuration_gets_one_sentence(tmp_path: Path) -> None:
    refused = run("alembic upgrade head", tmp_path, "")
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    assert "script_location" in refused.stdout


def test_an_empty_url_is_refused_and_not_taken_for_none(checkout: Path) -> None:
    for variable in ("DATABASE_URL", "MIGRATION_DATABASE_URL"):
        with patch.dict(os.environ, {variable: ""}):
            refused = next_run("alembic upgrade head", checkout / "backend", "" if variable == "DATABASE_URL" else "x")
        assert (refused.returncode, refused.stderr.splitlines()[0]) == (10, f"{variable} is empty.")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("002_b.py", "revision = '002_b'\ndef upgrade(:\n", "The revision file 002_b.py cannot be imported: line 2"),
        ("002_b.py", "import no_such_module\n", "The revision file 002_b.py cannot be imported: line 1"),
        ("002_b.py", "revision = '002_b'\ndown_revision = '001_gone'\n", "002_b.py names the revision '001_gone'"),
        ("001_b.py", "revision = '001_initial_schema'\ndown_revision = None\n", "2 files have the revision id"),
        ("002_b.py", "revision = '002_b'\ndown_revision = '002_b'\n", "The revisions 002_b refer to each other"),
    ],
)
def test_a_broken_chain_beside_the_real_revisions(checkout: Path, name: str, content: str, sentence: str) -> None:
    (checkout / "backend" / "migrations" / "versions" / name).write_text(content)
    refused = Alembic(checkout / "backend" / "alembic.ini").refused(NOWHERE, "upgrade", "head")
    assert refused.exit_code == 14
    assert refused.stderr.startswith(sentence)
    assert len(refused.stderr.splitlines()) <= 8


def test_a_new_revision_passes_the_linter(checkout: Path, database: str) -> None:
    backend = checkout / "backend"
    next_typed('alembic revision -m "by hand"', backend, database)
    ruff = [sys.executable, "-m", "ruff"]
    versions = str(backend / "migrations" / "versions")
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run([*ruff, *command, versions], cwd=checkout, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_output_that_nobody_reads_any_more_is_no_error(checkout: Path) -> None:
    command = f"{ALEMBIC} upgrade head --sql | head -n 1"
    ended = subprocess.run(command, shell=True, cwd=checkout / "backend", capture_output=True, text=True, check=False)
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
