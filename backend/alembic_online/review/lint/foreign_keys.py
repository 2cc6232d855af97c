"""Foreign keys and indexes with their columns, read from PostgreSQL's own definitions of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Attribute, Identity, Kind
from alembic_online.postgres.locks.reader import Reader, statements


@dataclass(frozen=True)
class ForeignKey:
    """One foreign key; names without quotes."""

    name: str
    table: Identity
    columns: tuple[str, ...]
    target: Identity
    targets: tuple[str, ...]


def foreign_keys(schema: Schema) -> Iterator[ForeignKey]:
    """Those of tables; a partition's is that of its table."""
    for identity, entry in schema.catalogue.items():
        if identity.kind is Kind.CONSTRAINT and entry.attributes[Attribute.TYPE] == "foreign key":
            if entry.has(Attribute.PART_OF) or entry.parent is None:
                continue
            reader = next(statements(entry.text(Attribute.DEFINITION)))
            reader.accept("FOREIGN KEY")
            columns = _names(reader.parentheses())
            reader.accept("REFERENCES")
            *space, name = map(_bare, reader.parts())
            target = Identity(Kind.TABLE, space[0] if space else schema.default, "", name)
            yield ForeignKey(identity.name, entry.parent, columns, target, _names(reader.parentheses()))


def leading_columns(schema: Schema) -> dict[Identity, list[tuple[str, ...]]]:
    """Of each table the columns of its indexes that can be asked for equality, in their order."""
    found: dict[Identity, list[tuple[str, ...]]] = {}
    for entry in schema.indexes:
        reader = next(statements(entry.text(Attribute.DEFINITION)))
        if reader.accept("USING") and reader.name() in ("btree", "hash") and not entry.has(Attribute.INVALID):
            columns = tuple(_bare(each.name()) for each in reader.parentheses().split())
            if not reader.has("WHERE") or reader.has("NOT"):  # WHERE ... IS NOT NULL passes over no row that refers
                table = Identity(Kind.TABLE, entry.schema, "", entry.identity.table)
                found.setdefault(table, []).append(columns)
    return found


def _names(reader: Reader) -> tuple[str, ...]:
    # A key over time ends with `PERIOD during` (PostgreSQL 18).
    return tuple(_bare(each.rest()[-1].text) for each in reader.split())


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
