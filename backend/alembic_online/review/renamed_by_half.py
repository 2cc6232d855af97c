"""What a revision that is half done has renamed: taken back it keeps its values; dropped and added it would not."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from alembic_online.autogenerate.context import Schema, quoted, read_schema
from alembic_online.autogenerate.schema_copy import copy_schema
from alembic_online.autogenerate.writers.enums import labels
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.postgres.catalogue import Catalogue, Identity, Kind
from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.scratch import in_scratch
from alembic_online.postgres.sql.verbatim import run_as_written
from alembic_online.review.plan.chain import chain_place, share_session
from alembic_online.review.plan.rehearsal import Live
from alembic_online.revisions.project import Project
from alembic_online.runner.source_sql import written_out

_TYPES = (Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE)


class Renamed(NamedTuple):
    """A table, a column or a type, as it was and as it is called."""

    old: Identity
    new: Identity

    @property
    def back(self) -> str:
        """The statement that takes it back."""
        if self.new.kind is not Kind.COLUMN:
            word = self.new.kind.upper() if self.new.kind in (Kind.TABLE, Kind.DOMAIN) else "TYPE"
            return f"ALTER {word} {quoted(self.new.schema, self.new.name)} RENAME TO {quoted(self.old.name)}"
        table = quoted(self.new.schema, self.new.table)
        return f"ALTER TABLE {table} RENAME COLUMN {quoted(self.new.name)} TO {quoted(self.old.name)}"

    def is_done(self, there: Catalogue, wanted: Catalogue) -> bool:
        """Whether it is there under its new name, and should be there under the old one."""
        return self.new in there and self.old not in there and self.old in wanted and self.new not in wanted


class RenamedLabel(NamedTuple):
    """A label of an enum, as it was and as it is called."""

    enum: Identity
    old: str
    new: str

    @property
    def back(self) -> str:
        """The statement that takes it back."""
        name = quoted(self.enum.schema, self.enum.name)
        return f"ALTER TYPE {name} RENAME VALUE {literal(self.new)} TO {literal(self.old)}"

    def is_done(self, there: Catalogue, wanted: Catalogue) -> bool:
        """Whether it is there under its new name, and should be there under the old one."""
        if self.enum not in there or self.enum not in wanted:
            return False
        now, then = labels(there[self.enum]), labels(wanted[self.enum])
        return self.new in now and self.old not in now and self.old in then and self.new not in then


def renamed_by_half(project: Project, live: Live, intended: Schema) -> list[Renamed | RenamedLabel]:
    """What stands under its new name and should be there under the old one; what was renamed last comes first."""
    found: list[Renamed | RenamedLabel] = []
    for half in live.half_done:
        script = project.scripts.get_revision(half.revision)
        for statement in written_out(script, half.row.direction) if script else ():
            renames = _renames(statement, live.schema.default)
            found += (each for each in renames if each.is_done(live.schema.catalogue, intended.catalogue))
    return found[::-1]


def taken_back(project: Project, live: Live, renamed: Sequence[Renamed | RenamedLabel]) -> Live:
    """The database as it is when that is undone: tried on a copy of its schema. Raises `UserError`, `CannotWrite`."""
    place = chain_place(project, live.place)

    def work(connection: Connection) -> Schema:
        share_session(connection, place)
        copy_schema(connection, live.schema, live.schema.only(lambda entry: bool(entry.schema)).catalogue)
        for each in renamed:
            run_as_written(connection, each.back)
        return read_schema(connection)

    return replace(live, schema=in_scratch(project.target, place, work, elsewhere=project.policy.scratch_url))


def _renames(statement: str, default: str) -> Iterator[Renamed | RenamedLabel]:
    for reader in statements(statement):
        if reader.accept("ALTER TABLE"):
            reader.accept("IF EXISTS")
            reader.accept("ONLY")
            yield from _of_a_table(reader, default)
        elif reader.accept_any("ALTER TYPE", "ALTER DOMAIN"):
            yield from _of_a_type(reader, default)


def _of_a_table(reader: Reader, default: str) -> Iterator[Renamed]:
    *schema, table = map(_folded, reader.parts())
    place = Identity(Kind.TABLE, (schema or [default])[-1], "", table)
    if reader.accept("RENAME TO"):
        yield Renamed(place, place._replace(name=_folded(reader.name())))
    elif reader.accept("RENAME") and not reader.comes("CONSTRAINT"):
        reader.accept("COLUMN")
        old = Identity(Kind.COLUMN, place.schema, table, _folded(reader.name()))
        if reader.accept("TO"):
            yield Renamed(old, old._replace(name=_folded(reader.name())))


def _of_a_type(reader: Reader, default: str) -> Iterator[Renamed | RenamedLabel]:
    *schema, name = map(_folded, reader.parts())
    place = Identity(Kind.ENUM, (schema or [default])[-1], "", name)
    if reader.accept("RENAME TO"):
        new = _folded(reader.name())
        yield from (Renamed(place._replace(kind=kind), place._replace(kind=kind, name=new)) for kind in _TYPES)
    elif reader.accept("RENAME VALUE"):
        old, _, new = (token.text for token in reader.rest())
        yield RenamedLabel(place, _unquoted(old), _unquoted(new))


def _folded(name: str) -> str:
    """The name that PostgreSQL reads: without quotes, or in lower case."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _unquoted(constant: str) -> str:
    """The value of a string constant."""
    return constant[1:-1].replace("''", "'")
