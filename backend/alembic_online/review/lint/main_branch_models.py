"""What the models of the main branch map: the code that runs while a revision is deployed."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic_online.review.lint.rule import Mapped
from alembic_online.revisions.git import run_git
from alembic_online.revisions.main_branch import MainBranch

_MODELS = """
import json
from alembic_online.revisions.project import open_project
tables = open_project().metadata.tables.values()
print(json.dumps([[table.schema or "", table.name, [column.name for column in table.columns]] for table in tables]))
"""


def mapped(main: MainBranch, folder: Path) -> Mapped | None:
    """What they map: env.py is run as it is there, in a process of its own that begins in `folder`.

    None where that fails, and where the folder is in another repository.
    """
    here = folder.resolve()
    archive = run_git(main.root, "archive", main.name) if here.is_relative_to(main.root) else None
    if archive is None:
        return None
    with TemporaryDirectory(prefix="online-") as directory:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(directory, filter="data")
        place = Path(directory) / here.relative_to(main.root)
        done = subprocess.run([sys.executable, "-c", _MODELS], cwd=place, capture_output=True, text=True, check=False)
    return _mapped(json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else None


def _mapped(tables: list[tuple[str, str, list[str]]]) -> Mapped:
    names = {(schema, table, "") for schema, table, _ in tables}
    return frozenset(names | {(schema, table, column) for schema, table, columns in tables for column in columns})
