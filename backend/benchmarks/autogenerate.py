"""How long `alembic check` takes with 10, 100 and 1,000 tables, plain and with ours.

python -m benchmarks.autogenerate            (from backend/, or: make bench)

Both look at a database that equals the models. Plain Alembic has `compare_type` and `compare_server_default` on, its
nearest to what ours compares.
"""

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.apply import new_database, server

SIZES = (10, 100, 1000)
REPEATS = 5
ALEMBIC = str(Path(sys.executable).with_name("alembic"))
MODELS = """\
from sqlalchemy import *

metadata = MetaData()
for n in range(int(os.environ["TABLES"])):
    Table(
        f"t{n}",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("parent", ForeignKey(f"t{max(n - 1, 0)}.id"), index=True),
        Column("slug", String(100), nullable=False, unique=True),
        Column("title", String(255), nullable=False, server_default="none"),
        Column("price", Numeric(10, 2)),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        CheckConstraint("price >= 0", name=f"price_{n}"),
    )
"""
PLAIN = """\
from sqlalchemy import create_engine
from alembic import context

with create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
    context.configure(
        connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=True
    )
    with context.begin_transaction():
        context.run_migrations()
"""
OURS = """\
from alembic_online import run_environment

run_environment(metadata, url=os.environ["DATABASE_URL"])
"""
CREATE = "from sqlalchemy import create_engine\n{}metadata.create_all(create_engine(os.environ['URL']))\n"
console = Console()


def make(folder: Path, environment: str) -> None:
    """An Alembic project without revisions, for either environment."""
    (folder / "versions").mkdir(parents=True)
    backend = Path(__file__).resolve().parents[1]
    ini = f"[alembic]\nscript_location = %(here)s\nprepend_sys_path = {backend}\npath_separator = os\n"
    (folder / "alembic.ini").write_text(ini)
    (folder / "env.py").write_text(f"import os\n\n{MODELS}\n{environment}")


async def run(*arguments: str, **environment: str) -> float:
    """A process of its own; returns its seconds. Fails if it fails."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *arguments, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(output.decode())
    return time.perf_counter() - begun


async def measure(folder: Path, admin: str, tables: int) -> dict[str, float]:
    """Medians of both, alternating, on one database."""
    url = await new_database(admin, f"check_{tables}")
    environment = {"DATABASE_URL": url, "TABLES": str(tables), "URL": url.replace("postgresql:", "postgresql+psycopg:")}
    await run(sys.executable, "-c", f"import os\n{CREATE.format(MODELS)}", **environment)
    seconds: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(REPEATS):
        for name, found in seconds.items():
            found.append(await run(ALEMBIC, "-c", str(folder / name / "alembic.ini"), "check", **environment))
    return {name: statistics.median(found) for name, found in seconds.items()}


async def main() -> None:
    """Print the table."""
    table = Table("tables", "plain", "ours", "ratio")
    with server() as admin, TemporaryDirectory() as directory:
        folder = Path(directory)
        make(folder / "plain", PLAIN)
        make(folder / "ours", OURS)
        for tables in SIZES:
            found = await measure(folder, admin, tables)
            ratio = f"{found['ours'] / found['plain']:.2f}"
            table.add_row(str(tables), f"{found['plain']:.2f} s", f"{found['ours']:.2f} s", ratio)
    console.print(table)


if __name__ == "__main__":
    asyncio.run(main())
