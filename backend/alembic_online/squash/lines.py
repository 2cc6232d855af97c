"""The lines of a squashed revision: from an empty database to what the chain makes of it, and back."""

from dataclasses import dataclass, replace

from alembic.operations import MigrateOperation
from sqlalchemy import Connection

from alembic_online.autogenerate.context import Context, Schema, quoted, read_schema
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.schema_copy import run_lines
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.postgres.catalogue import Attribute, Catalogue, CatalogueObject, Kind, compare, describe

_MAKE = """\
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = {name}) THEN
        CREATE EXTENSION {quoted};
        COMMENT ON EXTENSION {quoted} IS {comment};
    END IF;
END
$$"""
_DROP = """\
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_extension
        WHERE extname = {name}
          AND obj_description(oid, 'pg_extension') IS NOT DISTINCT FROM {comment}
    ) THEN
        DROP EXTENSION {quoted};
    END IF;
END
$$"""


@dataclass(frozen=True)
class SquashLines:
    """What the new revision does."""

    up: list[MigrateOperation]
    down: list[MigrateOperation]


def squash_lines(fresh: Schema, made: Schema) -> SquashLines:
    """The lines from `fresh` to `made`, and back. Raises `CannotWrite`.

    An extension in the default schema may be there already: a role that may not create it has it made for him. It keeps
    the comment that the chain gives it, by which the old downgrades know it again.
    """
    new = [entry for entry in made.catalogue.values() if _is_new_extension(entry, fresh, made)]
    begun = replace(fresh, catalogue=Catalogue([*fresh.catalogue.values(), *new]))
    make, drop = ([sql(_filled(template, entry)) for entry in new] for template in (_MAKE, _DROP))
    return SquashLines([*make, *plan(Context(begun, made))], [*plan(Context(made, begun)), *drop])


def try_lines(scratch: Connection, lines: SquashLines, fresh: Schema, made: Schema) -> list[str]:
    """Carry them out, up and down, in the empty database of `scratch`; what is then not as it should be, in words."""
    run_lines(scratch, lines.up)
    problems = describe(compare(made.catalogue, read_schema(scratch).catalogue)).splitlines()
    run_lines(scratch, lines.down)
    return problems + describe(compare(fresh.catalogue, read_schema(scratch).catalogue)).splitlines()


def _is_new_extension(entry: CatalogueObject, fresh: Schema, made: Schema) -> bool:
    here = entry.attributes.get(Attribute.SCHEMA) == made.default
    return entry.kind is Kind.EXTENSION and here and entry.identity not in fresh.catalogue


def _filled(template: str, entry: CatalogueObject) -> str:
    comment = entry.attributes.get(Attribute.COMMENT)
    said = "NULL" if comment is None else literal(str(comment))
    return template.format(name=literal(entry.name), quoted=quoted(entry.name), comment=said)
