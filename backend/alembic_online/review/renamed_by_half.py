"""What a revision that is half done has renamed: taken back it keeps its values; dropped and added it would not."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from alembic_online.autogenerate.context import Schema, quoted, read_schema
from alembic_online.autogenerate.schema_copy import copy_schema
from alembic_online.postgres.catalogue import Identity, Kind
from alembic_online.postgres.locks.reader import statements
from alembic_online.postgres.scratch import in_scratch
from alembic_online.postgres.sql.verbatim import run_as_written
from alembic_online.review.plan.chain import chain_place, share_session
from alembic_online.review.plan.rehearsal import Live
from alembic_online.revisions.project import Project
from alembic_online.runner.source_sql import written_out


class Renamed(NamedTuple):
    """A table or a column, as it was and as it is called."""

    old: Identity
    new: Identity

    @property
    def back(self) -> str:
        """The statement that takes it back."""
        if self.new.kind is Kind.TABLE:
            return f"ALTER TABLE {quoted(self.new.schema, self.new.name)} RENAME TO {quoted(self.old.name)}"
        table = quoted(self.new.schema, self.new.table)
        return f"ALTER TABLE {table} RENAME COLUMN {quoted(self.new.name)} TO {quoted(self.old.name)}"


def renamed_by_half(project: Project, live: Live, intended: Schema) -> list[Renamed]:
    """What stands under its new name and should be there under the old one; what was renamed last comes first."""
    found: list[Renamed] = []
    for half in live.half_done:
        script = project.scripts.get_revision(half.revision)
        for statement in written_out(script, half.row.direction) if script else ():
            found += (each for each in _renames(statement, live.schema.default) if _is_done(each, live, intended))
    return found[::-1]


def taken_back(project: Project, live: Live, renamed: list[Renamed]) -> Live:
    """The database as it is when that is undone: tried on a copy of its schema. Raises `UserError`, `CannotWrite`."""
    place = chain_place(project, live.place)

    def work(connection: Connection) -> Schema:
        share_session(connection, place)
        copy_schema(connection, live.schema, live.schema.only(lambda entry: bool(entry.schema)).catalogue)
        for each in renamed:
            run_as_written(connection, each.back)
        return read_schema(connection)

    return replace(live, schema=in_scratch(project.target, place, work, elsewhere=project.policy.scratch_url))


def _is_done(each: Renamed, live: Live, intended: Schema) -> bool:
    there, wanted = live.schema.catalogue, intended.catalogue
    return each.new in there and each.old not in there and each.old in wanted and each.new not in wanted


def _renames(statement: str, default: str) -> Iterator[Renamed]:
    for reader in statements(statement):
        if reader.accept("ALTER TABLE"):
            reader.accept("IF EXISTS")
            reader.accept("ONLY")
            *schema, table = map(_folded, reader.parts())
            place = Identity(Kind.TABLE, (schema or [default])[-1], "", table)
            if reader.accept("RENAME TO"):
                yield Renamed(place, place._replace(name=_folded(reader.name())))
            elif reader.accept("RENAME") and not reader.comes("CONSTRAINT"):
                reader.accept("COLUMN")
                old = Identity(Kind.COLUMN, place.schema, table, _folded(reader.name()))
                if reader.accept("TO"):
                    yield Renamed(old, old._replace(name=_folded(reader.name())))


def _folded(name: str) -> str:
    """The name that PostgreSQL reads: without quotes, or in lower case."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
