"""Renames: a hint in the model, a question on a terminal, or a refusal that shows the hint; never a guess.

    Table("lessons", ..., info={"renamed_from": "chapters"})        also from another schema: "archive.chapters"
    Column("heading", ..., info={"renamed_from": "title"})
    Column("theme", Enum("light", "night"), info={"renamed_from": {"night": "dark"}})      the labels of its enum
    Column("state", Enum("open", "closed"), info={"renamed_from": {"open": ["draft", "new"]}})      rows are moved

`{"renamed_from": None}` says that the new one is new, and the old one goes with what it holds. A hint that has been
carried out may stay. A constraint or index whose name alone has changed is renamed without being asked about: it holds
no data. So are an enum type, which keeps its columns, and a sequence, which keeps its place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic.operations import MigrateOperation
from sqlalchemy import Column, Enum, MetaData, Table
from sqlalchemy.types import ARRAY

from alembic_online.autogenerate.context import Schema, quoted
from alembic_online.autogenerate.op_rendering import Call, sql
from alembic_online.autogenerate.rename_order import (
    Pair,
    circles,
    free_first,
    name_beside,
    over_a_name_beside,
    still_to_do,
)
from alembic_online.autogenerate.search_path_names import schema_option
from alembic_online.autogenerate.writers.enums import labels
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.errors import RequestRefused
from alembic_online.postgres.catalogue import Identity, Kind

HINT = "renamed_from"


@dataclass(frozen=True)
class Rename:
    """One object that gets another name, and the lines for both ways. `label` is that of an enum, before and after."""

    old: Identity
    new: Identity
    up: tuple[MigrateOperation, ...]
    down: tuple[MigrateOperation, ...]
    label: tuple[str, str] | None = None

    def __str__(self) -> str:
        place = f"{self.new.table}." if self.new.table else ""
        return f"{self.old.kind} {place}{self.old.name} is called {self.new.name}"


def hinted(live: Schema, wanted: Schema, metadata: MetaData, revisions: str = "") -> Iterator[Rename]:
    """What the models say, tables before columns: a column is looked for in the table as it was called.

    `revisions` is the text of the revision files. Raises `RequestRefused` where a hint says to rename to a name that
    something else has.
    """
    was: dict[Identity, Identity] = {}
    schemas = {identity.name for identity in live.catalogue if identity.kind is Kind.SCHEMA} | {live.default}
    for old, new in _in_order(_tables(metadata, live, wanted.default), live, wanted, revisions):
        was[new] = was.pop(old, old)
        yield table_rename(old, new, wanted.default, makes_schema=new.schema not in schemas)
        schemas.add(new.schema)
    for table in _by_name(metadata):
        now = Identity(Kind.TABLE, table.schema or wanted.default, "", table.name)
        for old, new in _in_order(_columns(table, was.get(now, now), live), live, wanted, revisions, now):
            yield column_rename(old, new._replace(schema=now.schema, table=now.name), wanted.default)
    yield from _labels(metadata, live, wanted, revisions)


def _in_order(
    pairs: list[Pair], live: Schema, wanted: Schema, revisions: str, table: Identity | None = None
) -> Iterator[Pair]:
    """Those still to be carried out, each after the one that frees its name; `table` is what the columns' is called."""
    if not pairs:
        return  # as of most tables: all names of a schema are not to be gathered for each
    yield from free_first(pairs, set(live.catalogue))
    for circle in circles(pairs):
        if still_to_do(circle, live, wanted, table, revisions):
            yield from over_a_name_beside(circle)
    for old, new in pairs:
        if (old._replace(schema=table.schema, table=table.name) if table else old) not in wanted.catalogue:
            place = f"{old.table}." if old.table else ""
            raise RequestRefused(
                f"{place}{new.name} has the hint that it was {old.name}, but both are there, and that one is to go.",
                "If the hint was carried out before, take it out of the model.\n"
                f"If not, drop {new.name} in a revision of its own first.",
            )


def _tables(metadata: MetaData, live: Schema, default: str) -> list[Pair]:
    """What is there for each hint, and what it shall be called."""
    found = []
    for table in _by_name(metadata):
        new = Identity(Kind.TABLE, table.schema or default, "", table.name)
        schema, _, name = str(table.info.get(HINT) or "").rpartition(".")
        places = (new._replace(schema=place, name=name) for place in ([schema] if schema else [new.schema, default]))
        old = next((place for place in places if place in live.catalogue and place != new), None)
        if old is not None:
            found.append((old, new))
    return found


def _by_name(metadata: MetaData) -> list[Table]:
    """SQLAlchemy's own order would come with a warning where foreign keys go round in a circle."""
    return [metadata.tables[key] for key in sorted(metadata.tables)]


def _columns(table: Table, was: Identity, live: Schema) -> list[Pair]:
    """The same for the columns of a table, that is called `was` in both."""
    hints = ((column.info.get(HINT), column.name) for column in table.columns)
    place = Identity(Kind.COLUMN, was.schema, was.name, "")
    pairs = [(place._replace(name=old), place._replace(name=new)) for old, new in hints if isinstance(old, str)]
    return [(old, new) for old, new in pairs if old in live.catalogue and old != new]


def _labels(metadata: MetaData, live: Schema, wanted: Schema, revisions: str) -> Iterator[Rename]:
    hints: dict[Identity, dict[str, str | list[str] | None]] = {}
    for identity, hint in label_hints(metadata, wanted.default):
        if identity in live.catalogue and identity in wanted.catalogue:
            hints.setdefault(identity, {}).update(hint)
    for identity, hint in hints.items():
        there = labels(live.catalogue[identity])
        # An enum's labels are named like its parts, so that they are put in order like columns.
        part = identity._replace(table=identity.name)
        pairs = [
            (part._replace(name=old), part._replace(name=new))
            for new, old in hint.items()
            if isinstance(old, str) and old in there and old != new
        ]
        for old, new in _labels_in_order(pairs, there, labels(wanted.catalogue[identity]), revisions):
            yield label_rename(identity, old.name, new.name)


def _labels_in_order(
    pairs: list[Pair], there: tuple[str, ...], wanted: tuple[str, ...], revisions: str
) -> Iterator[Pair]:
    yield from free_first(pairs, {pairs[0][0]._replace(name=label) for label in there} if pairs else set())
    for circle in circles(pairs):
        new = {old.name: new.name for old, new in circle}
        before = [label for label in there if label in new]
        swapped = [new[label] for label in before] == [label for label in wanted if label in new]
        if swapped or name_beside(circle[0][0].name, circle[0][1].name) not in revisions:
            yield from over_a_name_beside(circle)


def label_hints(metadata: MetaData, default: str) -> Iterator[tuple[Identity, dict[str, str | list[str] | None]]]:
    """The enum of each column that has a hint about its labels: new to old, to several, or to None for a new one."""
    for table in _by_name(metadata):
        for column in table.columns:
            kind, hint = _enum(column), column.info.get(HINT)
            if kind is not None and isinstance(hint, dict):
                yield Identity(Kind.ENUM, kind.schema or default, "", str(kind.name)), hint


def merged_labels(metadata: MetaData, default: str) -> dict[Identity, dict[str, str]]:
    """For each enum what the models say that an old label becomes, where several become one."""
    found: dict[Identity, dict[str, str]] = {}
    for identity, hint in label_hints(metadata, default):
        for new, old in hint.items():
            if isinstance(old, list | tuple):
                found.setdefault(identity, {}).update(dict.fromkeys(map(str, old), new))
    return found


def _enum(column: Column[object]) -> Enum | None:
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return kind if isinstance(kind, Enum) else None


def table_rename(old: Identity, new: Identity, default: str, *, makes_schema: bool = False) -> Rename:
    """`op.rename_table`, and SET SCHEMA where it moves, into a schema that may have to be made for it."""
    schema = quoted(new.schema)
    up, down = ([sql(f"{word} SCHEMA {schema}")] if makes_schema else [] for word in ("CREATE", "DROP"))
    return Rename(old, new, (*up, *_move(old, new, default)), (*_move(new, old, default), *down))


def _move(old: Identity, new: Identity, default: str) -> Iterator[MigrateOperation]:
    if old.schema != new.schema:
        yield sql(f"ALTER TABLE {quoted(old.schema, old.name)} SET SCHEMA {quoted(new.schema)}")
    if old.name != new.name:
        yield Call("rename_table", old.name, new.name, schema=schema_option(new.schema, default))


def column_rename(old: Identity, new: Identity, default: str) -> Rename:
    """`op.alter_column(..., new_column_name=...)`, on the table as it is called by then."""

    def line(before: str, after: str) -> MigrateOperation:
        schema = schema_option(new.schema, default)
        return Call("alter_column", new.table, before, new_column_name=after, schema=schema)

    return Rename(old, new, (line(old.name, new.name),), (line(new.name, old.name),))


def label_rename(enum: Identity, old: str, new: str) -> Rename:
    """`ALTER TYPE ... RENAME VALUE`: a change of the catalogue alone."""

    def line(before: str, after: str) -> MigrateOperation:
        name = quoted(enum.schema, enum.name)
        return sql(f"ALTER TYPE {name} RENAME VALUE {literal(before)} TO {literal(after)}")

    return Rename(enum, enum, (line(old, new),), (line(new, old),), (old, new))


def without(renames: Sequence[Rename], identity: Identity) -> bool:
    """Whether no rename has to do with it."""
    return all(identity not in (rename.old, rename.new) for rename in renames)
