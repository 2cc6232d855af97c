"""Promise: without a Docker engine `--database=container` says so in one sentence; the image's files are all there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def engine_answers() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True).returncode == 0


@pytest.mark.programs
def test_without_an_engine_the_container_option_ends_pytest_in_one_sentence() -> None:
    if engine_answers():
        pytest.skip("a Docker engine answers here")
    command = ["pytest", "--database=container", "-n", "2", "-q"]  # as in the README
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    output = ended.stdout + ended.stderr
    assert ended.returncode == 2, output
    assert "--database=container needs a Docker engine: " in output
    assert "Traceback" not in output
    assert len(output.strip().splitlines()) <= 4, output


def test_everything_that_the_image_copies_is_in_the_tree_and_not_ignored() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [source for line in lines if line.startswith("COPY ") for source in line.split()[1:-1]]
    kept = {line.strip("!/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied
    for source in map(Path, copied):
        assert (ROOT / source).exists(), source
        assert source.parts[0] in kept, source
