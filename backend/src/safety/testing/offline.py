"""`alembic upgrade head --sql`, as processes of their own, and its script carried out by psql."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from src.postgres.embedded import program
from src.safety.errors import RevisionFailed
from src.safety.project import Project
from src.safety.testing.ground import Ground


@dataclass(frozen=True)
class Script:
    """What one process wrote, or why it wrote nothing."""

    sql: str
    refused: str


def scripts_of_two_processes(project: Project) -> tuple[Script, Script]:
    """Both at once. Sets are ordered otherwise in each: Python's hashes have another seed."""
    ini = Path(str(project.config.config_file_name)).resolve()
    command = [sys.executable, "-m", "alembic", "-c", ini.name, "upgrade", "heads", "--sql"]
    running = [
        subprocess.Popen(
            command,
            cwd=ini.parent,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    first, second = (_script(process) for process in running)
    return first, second


def _script(process: "subprocess.Popen[str]") -> Script:
    sql, said = process.communicate()
    return Script(sql, " ".join(said.splitlines()[-2:]) if process.returncode else "")


def by_script(ground: Ground, script: Script) -> None:
    """Run the script as a person does, with psql, which stops at the first error. Raises `RevisionFailed`."""
    command = [str(program("psql")), "-q", "-v", "ON_ERROR_STOP=1", ground.target.dsn]
    done = subprocess.run(command, input=script.sql, text=True, capture_output=True, check=False)
    if done.returncode:
        raise RevisionFailed(f"psql: {done.stderr.strip()[:300]}", "Compare it with: alembic upgrade head --sql")
