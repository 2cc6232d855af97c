"""A drop and an add that could be one rename: asked about on a terminal, refused without one."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.prompt import Confirm
from sqlalchemy import MetaData

from alembic_online.autogenerate.context import Schema
from alembic_online.autogenerate.renames import (
    HINT,
    Rename,
    column_rename,
    label_hints,
    label_rename,
    merged_labels,
    table_rename,
    without,
)
from alembic_online.errors import RequestRefused
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_ALIKE = 0.5
"""Tables are taken for one when this share of their columns, or more, is the same by name and type."""


@dataclass(frozen=True)
class Doubt:
    """What goes, what comes, and could be the same."""

    old: Identity
    new: Identity

    @property
    def question(self) -> str:
        where = f"{self.new.table}: " if self.new.table else ""
        what = "label" if self.old.kind is Kind.ENUM else self.old.kind
        return f"{where}was {what} {self._was} renamed to {self.new.name}?"

    @property
    def _was(self) -> str:
        moved = self.old.kind is Kind.TABLE and self.old.schema != self.new.schema
        return f"{self.old.schema}.{self.old.name}" if moved else self.old.name

    @property
    def hint(self) -> str:
        """The line to write in the model, which says yes."""
        if self.old.kind is Kind.ENUM:
            return f'Column(..., info={{"{HINT}": {{"{self.new.name}": "{self.old.name}"}}}})'
        what = "Column" if self.old.kind is Kind.COLUMN else "Table"
        return f'{what}("{self.new.name}", ..., info={{"{HINT}": "{self._was}"}})'


def doubts(live: Schema, wanted: Schema, metadata: MetaData, renames: Sequence[Rename]) -> Iterator[Doubt]:
    """Each pair that no hint settles; every object in one pair at most."""
    settled = _declined(metadata, wanted.default)
    gone = _candidates(live, wanted, renames)
    for new in _candidates(wanted, live, renames):
        if new.identity in settled:
            continue
        old = next((entry for entry in gone if _could_be(entry, new, live, wanted)), None)
        if old is not None:
            gone.remove(old)
            yield Doubt(old.identity, new.identity)
    yield from _labels(live, wanted, metadata)


def _labels(live: Schema, wanted: Schema, metadata: MetaData) -> Iterator[Doubt]:
    """Labels of an enum: a doubt names the type where it names a column's table."""
    new_by_hint = {
        (identity, label)
        for identity, hint in label_hints(metadata, wanted.default)
        for label, old in hint.items()
        if not isinstance(old, str)
    }
    merged = {(identity, label) for identity, ways in merged_labels(metadata, wanted.default).items() for label in ways}
    for identity in sorted(live.catalogue.keys() & wanted.catalogue.keys()):
        if identity.kind is Kind.ENUM:
            old, new = (_labels_of(schema, identity) for schema in (live, wanted))
            gone = [label for label in old if label not in new and (identity, label) not in merged]
            come = [label for label in new if label not in old and (identity, label) not in new_by_hint]
            part = identity._replace(table=identity.name)
            for pair in zip(gone, come, strict=False):
                yield Doubt(part._replace(name=pair[0]), part._replace(name=pair[1]))


def _labels_of(schema: Schema, enum: Identity) -> tuple[str, ...]:
    labels = schema.catalogue[enum].attributes[Attribute.LABELS]
    return labels if isinstance(labels, tuple) else ()


def resolve(found: Sequence[Doubt], default: str) -> list[Rename]:
    """Ask. Raises `RequestRefused` where nobody can be asked."""
    if found and not somebody_is_there():
        doubt = found[0]
        none = f'{{"{doubt.new.name}": None}}' if doubt.old.kind is Kind.ENUM else "None"
        raise RequestRefused(
            f"One goes and one comes: {doubt.question} A drop would lose what it holds.",
            f"Say so in the model: {doubt.hint}\n"
            f'Or say that it is new: info={{"{HINT}": {none}}}. On a terminal you are asked.',
        )
    return [_rename(doubt, default) for doubt in found if Confirm.ask(doubt.question, default=False)]


def _rename(doubt: Doubt, default: str) -> Rename:
    old, new = doubt.old, doubt.new
    if old.kind is Kind.ENUM:
        return label_rename(old._replace(table="", name=old.table), old.name, new.name)
    return (column_rename if old.kind is Kind.COLUMN else table_rename)(old, new, default)


def somebody_is_there() -> bool:
    """Whether a question would be read and answered."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _declined(metadata: MetaData, default: str) -> set[Identity]:
    """What a hint of None says is new."""
    found = set()
    for table in metadata.tables.values():
        schema = table.schema or default
        if table.info.get(HINT, "") is None:
            found.add(Identity(Kind.TABLE, schema, "", table.name))
        found |= {
            Identity(Kind.COLUMN, schema, table.name, column.name)
            for column in table.columns
            if column.info.get(HINT, "") is None
        }
    return found


def _candidates(here: Schema, there: Schema, renames: Sequence[Rename]) -> list[CatalogueObject]:
    """Tables, and columns of tables that both have, that only `here` has."""
    found = []
    for identity in sorted(here.catalogue.keys() - there.catalogue.keys()):
        entry = here.catalogue[identity]
        column = entry.kind is Kind.COLUMN and entry.parent in there.catalogue and _holds(entry)
        if (column or entry.kind is Kind.TABLE) and without(renames, identity):
            found.append(entry)
    return found


def _holds(entry: CatalogueObject) -> bool:
    return not entry.has(Attribute.GENERATED) and entry.parent is not None and entry.parent.kind is Kind.TABLE


def _could_be(old: CatalogueObject, new: CatalogueObject, live: Schema, wanted: Schema) -> bool:
    if old.kind is not new.kind:
        return False
    if old.kind is Kind.COLUMN:
        return old.parent == new.parent and old.attributes[Attribute.TYPE] == new.attributes[Attribute.TYPE]
    before, after = _shape(live, old.identity), _shape(wanted, new.identity)
    return bool(before) and len(before & after) >= _ALIKE * max(len(before), len(after))


def _shape(schema: Schema, table: Identity) -> set[tuple[str, object]]:
    return {(column.name, column.attributes[Attribute.TYPE]) for column in schema.children(table, Kind.COLUMN)}
