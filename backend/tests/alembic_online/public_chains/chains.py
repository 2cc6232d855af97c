"""Chains of public projects, out of the packages that they publish: their files as they are, of one version.

The environment of each is pinned in the text file of its name beside this one.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from alembic_online.adopt.env_file import with_online
from tests.paths import BACKEND

HERE = Path(__file__).parent
_INI = HERE.parent / "projects" / "alembic.ini"
_TIME = re.compile(r"^processor ([\d.]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Chain:
    """One of them."""

    name: str
    what: str
    """Of its shape, in words."""
    folder: str
    """Of its env.py, in the environment's packages."""
    filled_at: str
    """The revision at which rows are put into all tables, so that what comes after has something to do."""
    back_with_rows: str
    back_to: str
    """As far down as plain Alembic gets, with those rows and on an empty database."""
    driver: str
    url_in: str
    """The variable in which its env.py looks for the URL."""
    variables: Mapping[str, str] = field(default_factory=dict)
    in_thread: bool = False
    left_empty: frozenset[str] = frozenset()
    """Tables whose made-up rows a later revision cannot read, or which get a NOT NULL column: plain Alembic fails."""
    by_chance: frozenset[str] = frozenset()
    """Columns whose values are the moment's, or random."""

    def install(self, folder: Path) -> Path:
        """Its environment, made in `folder`; returns its interpreter."""
        python, pins = folder / "bin" / "python", ["-r", str(HERE / f"{self.name}.txt")]
        if shutil.which("uv"):
            _run("uv", "venv", "--quiet", "--python", sys.executable, str(folder))
            _run("uv", "pip", "install", "--quiet", "--no-deps", "--python", str(python), *pins)
        else:
            _run(sys.executable, "-m", "venv", str(folder))
            _run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", *pins)
        return python


@dataclass(frozen=True)
class Run:
    """A copy of a chain's folder, beside an alembic.ini, which leads to one database after the other."""

    chain: Chain
    python: Path
    folder: Path
    is_ours: bool

    @classmethod
    def of(cls, chain: Chain, python: Path, folder: Path, *, ours: bool) -> "Run":
        """The files as they are published; where it is `ours`, with what `alembic-online adopt` writes into env.py."""
        [packages] = python.parent.parent.glob("lib/python*/site-packages")
        scripts = folder / "scripts"
        shutil.copytree(packages / chain.folder, scripts, ignore=shutil.ignore_patterns("__pycache__"))
        ini = _INI.read_text().replace("script_location = %(here)s", "script_location = %(here)s/scripts")
        (folder / "alembic.ini").write_text(ini)
        if ours:
            env = scripts / "env.py"
            changed = with_online(env.read_text())
            assert changed is not None, "adopt finds the line"
            env.write_text(changed)
        return cls(chain, python, folder, ours)

    def __call__(self, url: str, *command: str, **variables: str) -> float:
        """Carry out `alembic` on the database; returns its seconds of processor."""
        words = ["thread", *command] if self.chain.in_thread else [*command]
        given = {name: value.format(folder=self.folder) for name, value in self.chain.variables.items()}
        given |= {self.chain.url_in: _with_driver(url, self.chain.driver), "MIGRATION_ALLOW_DATA_LOSS": "true"}
        if self.is_ours:
            given["PYTHONPATH"] = str(BACKEND)
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        said = _run(str(self.python), str(HERE / "start.py"), *words, cwd=self.folder, env=kept | given | variables)
        found = _TIME.search(said)
        assert found is not None, said
        return float(found[1])


def _with_driver(url: str, driver: str) -> str:
    """Spelled so that each driver finds the socket's folder."""
    parts = urlsplit(url)
    [host] = parse_qs(parts.query)["host"]
    return f"postgresql+{driver}://{parts.username}:@/{parts.path.strip('/')}?host={host}"


def _run(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-6000:]}"
    return done.stdout


CHAINS = (
    Chain(
        "airflow",
        "Apache Airflow 3.3.2, 124 revisions: batches, include_object, the application's engine, data steps",
        "airflow/migrations",
        "e229247a6cb1",
        "e229247a6cb1",
        "5f2621c13b39",
        "psycopg2",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        {"AIRFLOW_HOME": "{folder}"},
        left_empty=frozenset({"dag_run", "serialized_dag"}),
        by_chance=frozenset({"created_at", "updated_at", "id"}),
    ),
    Chain(
        "datajunction",
        "DataJunction 0.0.272, 74 revisions: tables made beside others and renamed, enums, raw SQL, batches",
        "datajunction_server/alembic",
        "395952b010b0",
        "5a6b7c8d9e0f",
        "5a6b7c8d9e0f",
        "psycopg",
        "DATABASE_URI",
        left_empty=frozenset({"node", "noderevision", "column", "tablecolumns", "tag"}),
    ),
    Chain(
        "prefect",
        "Prefect 3.9.1, 120 revisions: asyncpg from a worker thread, include_object, indexes CONCURRENTLY, data steps",
        "prefect/server/database/_migrations",
        "15768c2ec702",
        "15768c2ec702",
        "base",
        "asyncpg",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL",
        {"PREFECT_HOME": "{folder}"},
        in_thread=True,
        left_empty=frozenset({"automation_event_follower"}),
        by_chance=frozenset({"created", "updated", "id", "latest_id"}),  # 5d03c01be85e invents those that are missing
    ),
)
