"""What ties the database to others: publications, foreign-data wrappers and servers."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, Schema, quoted
from alembic_online.autogenerate.definition_parser import after, clauses, qualified_name, wrapped
from alembic_online.autogenerate.inheritance import has_children, origin
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.options import foreign_options, new_foreign_options, options
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind


class PublicationWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"PUBLICATION {quoted(entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        content = "ALL TABLES" if entry.has(Attribute.ALL_TABLES) else ", ".join(_published(entry, context.new))
        return f"CREATE {self.target(entry)}{f' FOR {content}' if content else ''} WITH ({_how(entry)})"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if Attribute.ALL_TABLES in change.attributes:
            return None
        alter, lines = f"ALTER {self.target(change.after)}", list[MigrateOperation]()
        if change.attributes & {Attribute.TABLES, Attribute.SCHEMAS}:
            content = ", ".join(_published(change.after, context.new))
            if not content:
                return None  # there is no word for a list that becomes empty
            lines.append(sql(f"{alter} SET {content}"))
        if change.attributes & {Attribute.OPERATIONS, Attribute.VIA_PARTITION_ROOT, Attribute.GENERATED_COLUMNS}:
            none = Attribute.GENERATED_COLUMNS in change.attributes - change.after.attributes.keys()
            how = f"{_how(change.after)}{', publish_generated_columns = none' if none else ''}"
            lines.append(sql(f"{alter} SET ({how})"))
        return lines


def published(publication: Identity, columns: Collection[Identity], schema: Schema) -> set[Identity]:
    """The tables of which it names one of these columns, or a child's column that is made of one."""

    def among(column: Identity) -> bool:
        whole = origin(schema.catalogue[column], schema)
        return column in columns or (whole is not None and among(whole.identity))

    named = (each for each in schema.needs.get(publication, ()) if each.kind is Kind.COLUMN)
    return {column._replace(kind=Kind.TABLE, table="", name=column.table) for column in named if among(column)}


def with_tables(
    word: str, entry: CatalogueObject, tables: Collection[Identity], schema: Schema
) -> Iterator[MigrateOperation]:
    """DROP some of its tables, while a column that it names gets another type; or ADD them as it has them."""
    for table in _tables(entry, schema):
        if table.identity in tables:
            what = table.what if word == "ADD" else ""
            yield sql(f"ALTER PUBLICATION {quoted(entry.name)} {word} TABLE {table.name}{what}")


class _Published(NamedTuple):
    identity: Identity
    name: str
    """With ONLY before it where children of it are, or are not, published by themselves."""
    what: str
    """Columns and rows."""


def _tables(entry: CatalogueObject, schema: Schema) -> Iterator[_Published]:
    for said in entry.items(Attribute.TABLES):
        name, *what = clauses(said)
        if (rows := after("where", said)) is not None:
            what = [*what[: what.index("where")], f"where {wrapped(rows)}"]
        identity = Identity(Kind.TABLE, qualified_name(name)[0], "", qualified_name(name)[1])
        table = schema.catalogue.get(identity)
        inherited = table and not table.has(Attribute.PARTITIONED_BY) and has_children(identity, schema)
        yield _Published(identity, f"ONLY {name}" if inherited else name, "".join(f" {part}" for part in what))


def _published(entry: CatalogueObject, schema: Schema) -> Iterator[str]:
    yield from (f"TABLE {table.name}{table.what}" for table in _tables(entry, schema))
    yield from (f"TABLES IN SCHEMA {quoted(name)}" for name in entry.items(Attribute.SCHEMAS))


def _how(entry: CatalogueObject) -> str:
    stated = entry.attributes
    words = [f"publish = {literal(', '.join(entry.items(Attribute.OPERATIONS)))}"]
    words.append(f"publish_via_partition_root = {'true' if Attribute.VIA_PARTITION_ROOT in stated else 'false'}")
    if Attribute.GENERATED_COLUMNS in stated:
        words.append(f"publish_generated_columns = {stated[Attribute.GENERATED_COLUMNS]}")
    return ", ".join(words)


class ForeignDataWrapperWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"FOREIGN DATA WRAPPER {quoted(entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        functions = "".join(
            f" {word.upper()} {stated[word]}" for word in (Attribute.HANDLER, Attribute.VALIDATOR) if word in stated
        )
        return f"CREATE {self.target(entry)}{functions}{new_foreign_options(options(entry))}"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        after = change.after.attributes
        words = [f"ALTER {self.target(change.after)}"]
        for word in (Attribute.HANDLER, Attribute.VALIDATOR):
            if word in change.attributes:
                words.append(f"{word.upper()} {after[word]}" if word in after else f"NO {word.upper()}")
        words.append(foreign_options(options(change.before), options(change.after)))
        return [sql(" ".join(filter(None, words)))]


class ServerWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"SERVER {quoted(entry.name)}"

    def granted(self, entry: CatalogueObject) -> str:
        return f"FOREIGN SERVER {quoted(entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        said = "".join(
            f" {word.upper()} {literal(str(stated[word]))}"
            for word in (Attribute.TYPE, Attribute.VERSION)
            if word in stated
        )
        wrapper = quoted(str(stated[Attribute.FOREIGN_DATA_WRAPPER]))
        return f"CREATE {self.target(entry)}{said} FOREIGN DATA WRAPPER {wrapper}{new_foreign_options(options(entry))}"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        """Its version and options are changed, its type never; a version is not taken away."""
        after = change.after.attributes
        if change.attributes & {Attribute.TYPE, Attribute.FOREIGN_DATA_WRAPPER} or (
            Attribute.VERSION in change.attributes - after.keys()
        ):
            return None
        version = f"VERSION {literal(str(after[Attribute.VERSION]))}" if Attribute.VERSION in change.attributes else ""
        given = foreign_options(options(change.before), options(change.after))
        return [sql(" ".join(filter(None, [f"ALTER {self.target(change.after)}", version, given])))]
