"""Domains, and their checks."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Identity, Kind
from src.safety.autogenerate.call import sql
from src.safety.autogenerate.casts import STRINGS
from src.safety.autogenerate.column_types import parse_type
from src.safety.autogenerate.context import Change, Context, quoted
from src.safety.autogenerate.conversions import key
from src.safety.autogenerate.writers.types import Passage, TypeWriter, in_the_way, replaced, type_name
from src.safety.autogenerate.writers.writer import Writer, comment, comment_on

_ANEW = frozenset({"type", "collation"})


class DomainWriter(TypeWriter):
    word = "DOMAIN"

    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        stated = entry.attributes
        words = [f"CREATE DOMAIN {type_name(entry)} AS {stated['type']}"]
        words += [f"COLLATE {stated['collation']}"] if "collation" in stated else []
        words += [f"DEFAULT {stated['default']}"] if "default" in stated else []
        words += ["NOT NULL"] if "not null" in stated else []
        checks = [child for child in context.new.children(entry.identity) if self.covers(entry, child, context)]
        words += [f"CONSTRAINT {quoted(check.name)} {check.attributes['definition']}" for check in checks]
        remarks = [line for check in checks for line in comment(_target(check), check)]
        return [sql(" ".join(words)), *self.ends(entry), *remarks]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if _ANEW & change.attributes:
            return list(_replaced(change, context, self))
        alter, lines = f"ALTER DOMAIN {type_name(change.after)}", list[MigrateOperation]()
        if "default" in change.attributes:
            default = change.after.attributes.get("default")
            lines.append(sql(f"{alter} DROP DEFAULT" if default is None else f"{alter} SET DEFAULT {default}"))
        if "not null" in change.attributes:
            lines.append(sql(f"{alter} {'SET' if 'not null' in change.after.attributes else 'DROP'} NOT NULL"))
        return [*lines, *self.altered_ends(change)]

    def covers(self, parent: CatalogueObject, child: CatalogueObject, context: Context) -> bool:
        return child.kind is Kind.CONSTRAINT and "not valid" not in child.attributes

    def takes(self, change: Change, context: Context) -> frozenset[Identity]:
        if not _ANEW & change.attributes:
            return frozenset()
        return frozenset(
            child.identity for schema in (context.old, context.new) for child in schema.children(change.identity)
        )

    def disturbed(self, change: Change, context: Context) -> Iterator[Identity]:
        if _ANEW & change.attributes:
            yield from in_the_way(change, context)


class DomainCheckWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        added = f"ADD CONSTRAINT {quoted(entry.name)} {entry.attributes['definition']}"
        invalid = " NOT VALID" if "not valid" in entry.attributes else ""
        return [sql(f"{_domain(entry)} {added}{invalid}"), *comment(_target(entry), entry)]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"{_domain(entry)} DROP CONSTRAINT {quoted(entry.name)}")]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if change.attributes - {"comment", "not valid"} or "not valid" in change.after.attributes:
            return None
        valid = [sql(f"{_domain(change.after)} VALIDATE CONSTRAINT {quoted(change.after.name)}")]
        lines: list[MigrateOperation] = [*valid] if "not valid" in change.attributes else []
        return [*lines, *([comment_on(_target(change.after), change.after)] if "comment" in change.attributes else [])]


def _replaced(change: Change, context: Context, writer: DomainWriter) -> Iterator[MigrateOperation]:
    before, after = (parse_type(str(entry.attributes["type"])) for entry in (change.before, change.after))
    through = "text" if before is None or after is None or key(before) != key(after) else after.unmodified
    # An explicit cast would cut in silence what is too long for the new domain; assignment fails.
    string = after is not None and not after.array and key(after) in STRINGS
    invalid = [
        line
        for child in context.new.children(change.identity, Kind.CONSTRAINT)
        if not writer.covers(change.after, child, context)
        for line in DomainCheckWriter().create(child, context)
    ]
    create = [*writer.create(change.after, context), *invalid]
    yield from replaced(change, context, create, Passage(through, cast=not string))


def _domain(check: CatalogueObject) -> str:
    return f"ALTER DOMAIN {quoted(check.schema, check.identity.table)}"


def _target(check: CatalogueObject) -> str:
    return f"CONSTRAINT {quoted(check.name)} ON DOMAIN {quoted(check.schema, check.identity.table)}"
