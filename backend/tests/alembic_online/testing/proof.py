"""Plant each defect, and see who catches it.

`python -m tests.alembic_online.testing.proof` in backend/ writes defects.md.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.config import Config
from sqlalchemy import create_engine, pool

from alembic_online.postgres.errors import UserError
from alembic_online.review.lint.check import check, choose, missing
from alembic_online.review.plan.rehearsal import Live, read_live, rehearse
from alembic_online.review.plan.report import lines
from alembic_online.revisions.main_branch import main_branch
from alembic_online.revisions.project import Project, open_project
from alembic_online.sample_rows.row_factory import Filler
from alembic_online.testing import CHECKS, Kit
from tests.alembic_command import Alembic
from tests.alembic_online.project import Project as Sample
from tests.alembic_online.project import make_project
from tests.alembic_online.testing.defects import BASE, BASE_DOWN, DEFECTS, MODELS, SOUND, Defect
from tests.servers import Server, embedded

PAGE = Path(__file__).with_name("defects.md")
COLUMNS = ("kit", "lint", "plan", "check")
_REVISION = '''\
"""Keep the nicknames of authors."""

import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {parent!r}
{top}


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''
_HEAD = """\
# Who catches what

Each defect is planted into a sound project (`defects.py`), and looked at by the test kit, by `lint`, by `plan` on a
database with rows, and by `alembic check`. Written by `python -m tests.alembic_online.testing.proof`; do not edit.

"""


@contextmanager
def planted(defect: Defect) -> Iterator[Project]:
    """The project with the defect in it."""
    with TemporaryDirectory(prefix="planted-") as folder:
        made = make_project(Path(folder))
        with (made.folder / "alembic.ini").open("a") as ini:
            ini.write("prepend_sys_path = %(here)s\n")
        made.models(defect.models)
        second = f"{defect.number}_nicknames"
        _write(made, defect.head, None, f"{defect.first or 'pass'}\n    {BASE}", BASE_DOWN)
        if defect.landed:
            _write(made, second, defect.head, defect.landed, defect.down)
            _land(made.folder)
        path = _write(made, second, defect.head, defect.up, defect.down, defect.top)
        if defect.deleted:
            path.unlink()
        for name, content in defect.files.items():
            (made.folder / name).write_text(content)
        yield open_project(Config(made.folder / "alembic.ini"))


def _write(made: Sample, revision: str, parent: str | None, up: str, down: str, top: str = "") -> Path:
    path = made.folder / "versions" / f"{revision}.py"
    path.write_text(_REVISION.format(revision=revision, parent=parent, up=up, down=down, top=top))
    return path


def _land(folder: Path) -> None:
    """All that is there is on git's main branch."""
    whoever = ("-c", "user.name=x", "-c", "user.email=x@y")
    for arguments in (("init", "-b", "main"), ("add", "."), (*whoever, "commit", "-m", "x")):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def live(server: Server) -> Live:
    """A database at the first revision, with rows, for `plan`."""
    with planted(Defect("none yet", models=MODELS)) as project, server.database() as url:
        Alembic(Path(str(project.config.config_file_name)))(url, "upgrade", "001_base")
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
        with engine.begin() as connection:
            Filler().fill(connection)
            return read_live(connection, ("001_base",))


def catchers(there: Live, defect: Defect) -> dict[str, str]:
    """What each of `COLUMNS` says, in a word or two; empty for those that see nothing."""
    with planted(defect) as project:
        kit = Kit(project)
        differs = _or_refused(lambda: "differs" if kit.findings("models") else "")
        others = (name for name in CHECKS if name != "models" and kit.findings(name))
        return {
            "kit": next(others, "models" if differs else ""),
            "lint": _or_refused(partial(_lint, project, there)),
            "plan": _or_refused(partial(_plan, project, there)),
            "check": differs,
        }


def _or_refused(look: Callable[[], str]) -> str:
    try:
        return look()
    except UserError:
        return "refuses"


def _lint(project: Project, there: Live) -> str:
    main = main_branch(project.folder)
    found = check(project, there.place, choose(project, "001_base:", ()), main)
    found += missing(project, main) if main else []
    return ", ".join(dict.fromkeys(each.rule.code for each in found))


def _plan(project: Project, there: Live) -> str:
    traced = rehearse(project, there, "heads", start="001_base")
    return "danger" if any(line.dangers for line in lines(traced, there.tables)) else ""


def table(server: Server) -> str:
    """The page, as Markdown."""
    os.environ["DATABASE_URL"] = server.admin
    cases = [*DEFECTS, SOUND]
    with ProcessPoolExecutor(max_workers=3) as workers:
        found = list(workers.map(partial(_reported, live(server)), cases))
    rows = [
        f"| {case.what} | {' | '.join(said[name] for name in COLUMNS)} |"
        for case, said in zip(cases, found, strict=True)
    ]
    head = f"| defect | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}\n"
    return _HEAD + head + "\n".join(rows) + "\n"


def _reported(there: Live, case: Defect) -> dict[str, str]:
    said = catchers(there, case)
    sys.stderr.write(f"{case.what}: {said}\n")
    return said


if __name__ == "__main__":
    with embedded(18) as running:
        PAGE.write_text(table(running), encoding="utf-8")
