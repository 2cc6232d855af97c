"""The first revision of a database that was made without any: it makes the same catalogue, which is proved first."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from alembic.operations import MigrateOperation
from alembic.util import rev_id
from sqlalchemy import Connection

from alembic_online.autogenerate.context import Schema, read_schema
from alembic_online.autogenerate.op_rendering import Call
from alembic_online.errors import RevisionFailed
from alembic_online.postgres.scratch import in_scratch
from alembic_online.review.plan.chain import share_session
from alembic_online.review.plan.rehearsal import Live
from alembic_online.revision_file import prepare, taken
from alembic_online.revisions.numbering import next_revision_id
from alembic_online.revisions.project import Project
from alembic_online.squash.lines import SquashLines, squash_lines, try_lines

_MESSAGE = "baseline"


def baseline_lines(project: Project, live: Live, mine: Schema) -> SquashLines:
    """The lines that make `mine` of an empty database, and back; tried both ways on a scratch database.

    Raises `CannotWrite`, and `RevisionFailed` where they make something else.
    """

    def work(scratch: Connection) -> SquashLines:
        share_session(scratch, live.place)
        fresh = read_schema(scratch)
        lines = squash_lines(fresh, mine)
        if problems := try_lines(scratch, lines, fresh, mine):
            raise RevisionFailed(
                f"The first revision would make something else: {'; '.join(problems[:5])}.",
                "Nothing was changed. Write it by hand: alembic revision",
            )
        return lines

    return in_scratch(project.target, live.place, work, elsewhere=project.policy.scratch_url)


def write_baseline(project: Project, lines: SquashLines, *, numbered: bool) -> Path:
    """Write the file; `numbered` is the house's way, else it has an id as Alembic gives it."""
    scripts = project.scripts
    if numbered:
        prepare(scripts)
    imports = {line for call in (*lines.up, *lines.down) if isinstance(call, Call) for line in call.imports}
    script = scripts.generate_revision(
        next_revision_id(_MESSAGE, taken(scripts)) if numbered else rev_id(),
        _MESSAGE,
        head="base",
        refresh=True,
        upgrades=_body(lines.up),
        downgrades=_body(lines.down),
        imports="\n".join(sorted(imports)),
    )
    assert script is not None, "it was written just now"
    return Path(script.path)


def _body(lines: Sequence[MigrateOperation]) -> str:
    return textwrap.indent("\n".join(map(str, lines)) or "pass", "    ").strip()
