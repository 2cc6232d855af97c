"""The two files: made, written, and held against what is there."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from alembic_online.autogenerate.context import Schema, read_schema
from alembic_online.postgres.scratch import Place, read_place
from alembic_online.review.drift import as_sql
from alembic_online.review.plan.chain import chain_place, in_chain_scratch, move_extensions
from alembic_online.review.plan.rehearsal import run_chain
from alembic_online.review.snapshot.dictionary import dictionary
from alembic_online.revisions.project import Project

_HEAD = "-- The schema at {head}. Written by `python -m alembic_online snapshot`; do not edit.\n\n{sql}\n"


def snapshot(project: Project, place: Place) -> dict[Path, str]:
    """What belongs into each file. Raises `UserError`."""
    head = ", ".join(project.scripts.get_heads()) or "base"
    fresh, made = in_chain_scratch(project, place, partial(_before_and_after, project, place))
    return {
        project.folder / "schema.sql": _HEAD.format(head=head, sql=as_sql(fresh, made)),
        project.folder / "schema.md": dictionary(made, head),
    }


def stale(files: dict[Path, str]) -> list[Path]:
    """The files that are missing, or say something else."""
    return [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def write(files: dict[Path, str]) -> None:
    """Write them all."""
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


def _before_and_after(project: Project, place: Place, scratch: Connection) -> tuple[Schema, Schema]:
    """As seen from the default schema, in which all extensions stand: the files are the same on every server."""
    default = chain_place(project, place).schema
    fresh = read_schema(scratch)
    run_chain(project, scratch, "heads")
    move_extensions(scratch, [(name, default) for name, _ in read_place(scratch).extensions])
    return fresh, replace(read_schema(scratch), default=default)
