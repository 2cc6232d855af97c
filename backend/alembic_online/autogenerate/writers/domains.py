"""Domains, and their checks."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.casts import ASSIGNED, EXPLICIT, STRINGS
from alembic_online.autogenerate.column_types import parse_type
from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.conversions import key
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.autogenerate.writers.types import Passage, TypeWriter, type_name
from alembic_online.autogenerate.writers.writer import comment
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind

_REBUILT = frozenset({Attribute.TYPE, Attribute.COLLATION})


class DomainWriter(TypeWriter):
    word = "DOMAIN"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        words = [f"CREATE DOMAIN {type_name(entry)} AS {stated[Attribute.TYPE]}"]
        words += [f"COLLATE {stated[Attribute.COLLATION]}"] if Attribute.COLLATION in stated else []
        words += [f"DEFAULT {stated[Attribute.DEFAULT]}"] if Attribute.DEFAULT in stated else []
        words += ["NOT NULL"] if Attribute.NOT_NULL in stated else []
        words += [
            f"CONSTRAINT {quoted(check.name)} {check.attributes[Attribute.DEFINITION]}"
            for check in _valid(entry, context)
        ]
        return " ".join(words)

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        for check in context.new.children(entry.identity, Kind.CONSTRAINT):
            if check in _valid(entry, context):
                yield from comment(_target(check), check)
            else:
                yield from DomainCheckWriter().create(check, context)

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        alter, lines = f"ALTER {self.target(change.after)}", list[MigrateOperation]()
        if Attribute.DEFAULT in change.attributes:
            lines.append(domain_default(change.after))
        if Attribute.NOT_NULL in change.attributes:
            lines.append(sql(f"{alter} {'SET' if change.after.has(Attribute.NOT_NULL) else 'DROP'} NOT NULL"))
        return lines

    def passage(self, change: Change, context: Context) -> Passage | None:
        if not _REBUILT & change.attributes:
            return None
        before, after = (parse_type(entry.text(Attribute.TYPE)) for entry in (change.before, change.after))
        assert before, "types are printed in ways that are known"
        assert after, "as above"
        was, now = key(before), key(after)
        through = after.unmodified if now in (was, *ASSIGNED.get(was, ()), *EXPLICIT.get(was, ())) else "text"
        # An explicit cast would cut in silence what is too long for the new domain, where assignment fails.
        string = not after.array and now in STRINGS
        return Passage(through, cast=not string)

    def covers(self, parent: CatalogueObject, child: CatalogueObject, context: Context) -> bool:
        return True


class DomainCheckWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return _target(entry)

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        invalid = " NOT VALID" if entry.has(Attribute.NOT_VALID) else ""
        return f"{_domain(entry)} ADD CONSTRAINT {quoted(entry.name)} {entry.attributes[Attribute.DEFINITION]}{invalid}"

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"{_domain(entry)} DROP CONSTRAINT {quoted(entry.name)}")]

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if change.attributes - {Attribute.COMMENT, Attribute.NOT_VALID} or change.after.has(Attribute.NOT_VALID):
            return None
        return [sql(f"{_domain(change.after)} VALIDATE CONSTRAINT {quoted(change.after.name)}")]


def domain_default(entry: CatalogueObject, *, keep: bool = True) -> MigrateOperation:
    """Set the default that it has, or take it away, also while the function that it calls is rebuilt."""
    default = entry.attributes.get(Attribute.DEFAULT) if keep else None
    return sql(f"ALTER DOMAIN {type_name(entry)} {'DROP DEFAULT' if default is None else f'SET DEFAULT {default}'}")


def _valid(entry: CatalogueObject, context: Context) -> list[CatalogueObject]:
    """The checks that CREATE DOMAIN can make."""
    checks = context.new.children(entry.identity, Kind.CONSTRAINT)
    return [check for check in checks if not check.has(Attribute.NOT_VALID)]


def _domain(check: CatalogueObject) -> str:
    return f"ALTER DOMAIN {quoted(check.schema, check.identity.table)}"


def _target(check: CatalogueObject) -> str:
    return f"CONSTRAINT {quoted(check.name)} ON DOMAIN {quoted(check.schema, check.identity.table)}"
