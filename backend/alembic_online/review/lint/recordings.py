"""Which recorded statements are made beside which revision.

Beside what adds, and what says no phase, it is the release before: the recording that the main branch has. Beside a
contract that one is gone, and it is the release that comes with it: the recording of this branch, where it is another.
"""

from collections.abc import Sequence

from alembic.script import Script

from alembic_online.releases.phase import Phase, said_phase
from alembic_online.releases.recorded import FILE, Statement, read_file, read_statements
from alembic_online.revisions.main_branch import MainBranch
from alembic_online.revisions.project import Project


def statements_beside(
    project: Project, main: MainBranch | None, scripts: Sequence[Script]
) -> dict[str, Sequence[Statement]]:
    """Of each of these revisions. Raises `RequestRefused` for a file that is no recording."""
    path = project.folder / FILE
    ours = read_file(path)
    there = main.text(path) if main else None
    theirs = read_statements(there, f"{FILE} of the main branch") if there is not None else ours
    renewed = ours if ours != theirs else []
    return {each.revision: renewed if said_phase(each) is Phase.CONTRACT else theirs for each in scripts}
