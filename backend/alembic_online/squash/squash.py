"""Squash: one revision in the place of all up to a given one, that makes the same catalogue; proved, then written."""

import io
import textwrap
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from importlib.util import cache_from_source
from pathlib import Path

from alembic.operations import MigrateOperation
from alembic.script import Script
from alembic.util import format_as_comma, template_to_file
from sqlalchemy import Connection, text

from alembic_online.alembic_seam import create_date, dependencies_of, parents_of, run_hooks, version_folders
from alembic_online.autogenerate.context import Schema, quoted, read_schema
from alembic_online.autogenerate.op_rendering import Call
from alembic_online.errors import RequestRefused, RevisionFailed
from alembic_online.postgres.catalogue import Kind, compare, describe
from alembic_online.postgres.scratch import Place
from alembic_online.review.drift import chain_schema
from alembic_online.review.plan.chain import in_chain_scratch
from alembic_online.review.plan.rehearsal import run_chain
from alembic_online.revision_file import prepare
from alembic_online.revisions.project import Project, open_project
from alembic_online.revisions.squashed import archive
from alembic_online.runtime.row_security import every_row_of_ours
from alembic_online.squash.lines import SquashLines, squash_lines, try_lines
from alembic_online.text import listed

_MESSAGE = """\
everything up to {name}

Made by `python -m alembic_online squash` in the place of {count} revisions, which are kept in ../{folder} for databases
that have begun them: there they are the chain, up and down. A database at base begins here."""


def squash(project: Project, to: str, place: Place, *, without_rows: bool = False) -> Path:
    """Write the revision and move the old files; returns the new one.

    Raises `RequestRefused` for revisions that cannot be squashed, `CannotWrite`, and `RevisionFailed` if what was
    written does not make what the chain made (then nothing was moved, unless the sentence says so).
    """
    below = revisions_to_squash(project, to)
    last = below[-1]
    whole = chain_schema(project, place, tuple(project.scripts.get_heads()))
    in_another = partial(in_chain_scratch, project, place)
    fresh, made = in_another(partial(_run_old, project, last.revision, without_rows))
    lines = squash_lines(fresh, made)
    _prove(in_another(partial(try_lines, lines=lines, fresh=fresh, made=made)), "Nothing was changed.")
    path = _write(project, below, lines)
    squashed = open_project(project.config)
    heads = tuple(squashed.scripts.get_heads())
    for way in (heads, (below[0].revision, *heads)):  # an empty database, and one in the middle of the old chain
        after = chain_schema(squashed, place, way)
        _prove(describe(compare(whole.catalogue, after.catalogue)).splitlines(), "Undo it: git restore, git clean.")
    return path


def revisions_to_squash(project: Project, to: str) -> list[Script]:
    """All up to `to`, the oldest first. Raises `RequestRefused`."""
    scripts = project.scripts
    found = [script for script in scripts.walk_revisions() if to and script.revision.startswith(to)]
    if len(found) != 1:
        raise RequestRefused(f"{to!r} is not the name of one revision.", "See: alembic history")
    last = found[0]
    ids = {script.revision for script in scripts.iterate_revisions(last.revision, "base")}
    below = [script for script in scripts.walk_revisions() if script.revision in ids][::-1]
    if len(below) < 2 or Path(last.path).parent == archive(scripts):
        raise RequestRefused(f"There is nothing to squash up to {last.revision}.", "Name a later revision.")
    for script in scripts.walk_revisions():
        needed = {*parents_of(script), *dependencies_of(script)} & (ids - {last.revision})
        if script.revision not in ids and needed:
            raise RequestRefused(
                f"{script.revision} builds on {listed(sorted(needed))}, which would be squashed away.",
                "Squash up to an earlier revision, or one that has both below it.",
            )
    if labels := sorted({label for script in below for label in script.branch_labels}):
        raise RequestRefused(f"A label would be lost: {', '.join(labels)}.", "Squash up to before it, or take it off.")
    return below


def _run_old(project: Project, last: str, without_rows: bool, scratch: Connection) -> tuple[Schema, Schema]:
    """An empty database, and what the old revisions make of it."""
    fresh = read_schema(scratch)
    run_chain(project, scratch, last)
    made = read_schema(scratch)
    tables = [entry for entry in made.catalogue.values() if entry.kind is Kind.TABLE]
    names = sorted(quoted(entry.schema, entry.name) for entry in tables)
    filled = [name for name in names if _has_rows(scratch, name)]
    if filled and not without_rows:
        raise RequestRefused(
            f"The old revisions insert rows into {', '.join(filled)}, which a squashed one would not.",
            "If a new database needs none of them: --without-rows. Else insert them in a revision after it.",
        )
    return fresh, made


def _has_rows(scratch: Connection, table: str) -> bool:
    with every_row_of_ours(scratch, outside=True):
        return bool(scratch.scalar(text(f"SELECT EXISTS (SELECT FROM {table})")))


def _prove(problems: Sequence[str], remedy: str) -> None:
    if problems:
        raise RevisionFailed(f"The squashed revision makes something else: {'; '.join(problems[:5])}.", remedy)


def _write(project: Project, below: Sequence[Script], lines: SquashLines) -> Path:
    scripts, last = project.scripts, below[-1]
    folder = archive(scripts)
    folder.mkdir(exist_ok=True)
    for script in below:
        path = Path(script.path)
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
        if path.parent != folder:
            path.rename(folder / path.name)
        else:  # squashed before: only the one that stood for it goes
            for location in version_folders(scripts):
                (location / path.name).unlink(missing_ok=True)
    new = Path(last.path)
    imports = {line for call in (*lines.up, *lines.down) if isinstance(call, Call) for line in call.imports}
    template_to_file(
        Path(scripts.dir) / "script.py.mako",
        new,
        scripts.output_encoding,
        up_revision=last.revision,
        down_revision=None,
        branch_labels=None,
        depends_on=None,
        create_date=create_date(scripts),
        comma=format_as_comma,
        message=_MESSAGE.format(name=last.revision, count=len(below), folder=folder.name),
        imports="\n".join(sorted(imports)),
        upgrades=_body(lines.up),
        downgrades=_body(lines.down),
    )
    prepare(scripts)
    with redirect_stdout(io.StringIO()):  # the hooks speak to whoever runs alembic
        run_hooks(new, scripts)
    return new


def _body(lines: Sequence[MigrateOperation]) -> str:
    return textwrap.indent("\n".join(map(str, lines)) or "pass", "    ").strip()
