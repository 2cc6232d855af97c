"""Names that PostgreSQL made of a table's and a column's: they follow when these are renamed.

So the end is the schema that the models make, whichever of its parts has such a name: a key, a check, the sequence of a
serial or an identity, from PostgreSQL 18 on a NOT NULL. A name that somebody gave stays, and so does one that did not
follow when its table was renamed by others.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Schema, quoted
from alembic_online.autogenerate.definition_parser import clauses, names, qualified_name
from alembic_online.autogenerate.inheritance import has_children
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.rename_order import Pair, circles, free_first, over_a_name_beside
from alembic_online.autogenerate.renames import Rename
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind
from alembic_online.postgres.sql.identifiers import object_name

_LABELS = {"primary key": "pkey", "unique": "key", "foreign key": "fkey", "check": "check", "exclusion": "excl"}


class Former(NamedTuple):
    """What a table and its columns were called, where that is something else now."""

    table: str
    columns: dict[str, str]

    def column(self, name: str) -> str:
        """What the column that is called `name` was called."""
        return self.columns.get(name, name)

    def made(self, entry: CatalogueObject, columns: Iterable[str]) -> bool:
        """Whether PostgreSQL called the constraint so: `columns` are all those of its table."""
        label = _LABELS[entry.text(Attribute.TYPE)]
        groups = [each for each in clauses(entry.text(Attribute.DEFINITION)) if each.startswith("(")]
        parts = {"check": ["", *map(self.column, columns)], "pkey": [""]}.get(label)
        if parts is None:
            parts = ["_".join(map(self.column, names(groups[0])))] if groups else []
        return re.sub(r"\d+$", "", entry.name) in {object_name(self.table, part, label) for part in parts}


def former_names(renames: Iterable[Rename]) -> dict[tuple[str, str], Former]:
    """By the schema and the name that a table has now."""
    tables: dict[tuple[str, str], str] = {}
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for rename in renames:
        place = (rename.new.schema, rename.new.table or rename.new.name)
        if rename.new.kind is Kind.TABLE:
            tables[place] = tables.pop((rename.old.schema, rename.old.name), rename.old.name)
        elif rename.new.kind is Kind.COLUMN:
            done = columns.setdefault(place, {})
            done[rename.new.name] = done.pop(rename.old.name, rename.old.name)
    return {place: Former(tables.get(place, place[1]), columns.get(place, {})) for place in (*tables, *columns)}


def following(live: Schema, wanted: Schema, renames: Iterable[Rename]) -> Iterator[Rename]:
    """What no catalogue lists by its name: the sequence of an identity, and NOT NULL."""
    sequences: list[Pair] = []
    for (schema, table), former in former_names(renames).items():
        place = Identity(Kind.TABLE, schema, "", table)
        for column in wanted.children(place, Kind.COLUMN):
            there = live.catalogue.get(column.identity)
            if there is not None and not there.has(Attribute.INHERITED):
                sequences += _sequence(there, column, former)
                if not has_children(place, live):  # each child's has a name of its own, and the rename wants one
                    yield from _not_null(there, column, former)
    taken = {Identity(Kind.SEQUENCE, entry.schema, "", entry.name) for entry in live.catalogue.values()}
    taken |= {own for entry in live.catalogue.values() if (own := _its_sequence(entry))}
    yield from map(_sequence_rename, free_first(sequences, taken))
    for circle in circles(sequences):
        yield from map(_sequence_rename, over_a_name_beside(circle))


def _sequence(there: CatalogueObject, column: CatalogueObject, former: Former) -> Iterator[Pair]:
    old, new = _its_sequence(there), _its_sequence(column)
    made = object_name(former.table, former.column(column.name), "seq")
    if old and new and old.name == made != new.name and old.schema == new.schema:
        yield old, new


def _its_sequence(column: CatalogueObject) -> Identity | None:
    said = column.attributes.get(Attribute.IDENTITY_SEQUENCE)
    schema, name = ("", "") if said is None else qualified_name(str(said))
    return Identity(Kind.SEQUENCE, schema, "", name) if name else None


def _sequence_rename(pair: Pair) -> Rename:
    (old, new), (up, down) = pair, (_renamed(*names) for names in (pair, pair[::-1]))
    return Rename(old, new, (up,), (down,))


def _renamed(before: Identity, after: Identity) -> MigrateOperation:
    return sql(f"ALTER SEQUENCE {quoted(before.schema, before.name)} RENAME TO {quoted(after.name)}")


def _not_null(there: CatalogueObject, column: CatalogueObject, former: Former) -> Iterator[Rename]:
    old, new = (entry.text(Attribute.NOT_NULL_NAME) for entry in (there, column))
    if new and old == object_name(former.table, former.column(column.name), "not_null") != new:
        table, part = quoted(column.schema, column.identity.table), column.identity._replace(kind=Kind.CONSTRAINT)
        pairs = ((old, new), (new, old))
        up, down = (sql(f"ALTER TABLE {table} RENAME CONSTRAINT {quoted(a)} TO {quoted(b)}") for a, b in pairs)
        yield Rename(part._replace(name=old), part._replace(name=new), (up,), (down,))
