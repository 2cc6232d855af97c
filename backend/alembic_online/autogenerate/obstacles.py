"""What of the models PostgreSQL refuses to make: named, and not compared, so that nothing is dropped for it.

The live database may have it all the same, made by a revision in a way that the models do not know.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Identity, Kind

_OF_A_TABLE = (Kind.CONSTRAINT, Kind.INDEX)
_WORD = re.compile(r"\w+")
_LONGEST = 160


@dataclass(frozen=True)
class Obstacle:
    """A statement that the server refuses, what it says, and what it was to make, where that is known."""

    statement: str
    says: str
    made: Identity | None = None
    notes: tuple[str, ...] = ()
    """Lines that help."""
    is_double: bool = False
    """Whether the models say the same name twice."""

    @property
    def where(self) -> str:
        """`table books, index ix_books_title`."""
        if self.made is None:
            return "a declared object"
        kind, schema, table, name = self.made
        place = f"{schema}.{table or name}" if schema not in ("", "public") else table or name
        return f"table {place}, {kind} {name or 'without name'}" if table else f"{kind} {place}"

    def __str__(self) -> str:
        statement = " ".join(self.statement.split())
        short = statement if len(statement) <= _LONGEST else f"{statement[:_LONGEST]}..."
        return f"{self.where}: {self.says} ({short})"

    def is_new(self, live: Schema, built: Schema) -> bool:
        """Whether the live database has nothing that may be it: then it is to be made, and cannot be."""
        if self.made is None:
            return True
        if self.made.kind not in _OF_A_TABLE:
            return self.made not in live.catalogue
        if self.is_double:
            return Identity(Kind.TABLE, self.made.schema, "", self.made.table) not in live.catalogue
        return not any(_maybe(self, [identity for identity in live.catalogue if identity not in built.catalogue]))


def unknown(obstacles: Sequence[Obstacle], live: Schema, built: Schema) -> frozenset[Identity]:
    """What is not compared: what they were to make, and what of the live database may be it."""
    found = {obstacle.made for obstacle in obstacles if obstacle.made is not None}
    extra = [entry.identity for entry in live.catalogue.values() if entry.identity not in built.catalogue]
    for obstacle in obstacles:
        found |= set(_maybe(obstacle, extra))
    return frozenset(found | _hanging(found, live) | _hanging(found, built))


def _maybe(obstacle: Obstacle, extra: Sequence[Identity]) -> Iterator[Identity]:
    """The constraints and indexes of the same table that no model makes, and what the statement names."""
    words = set(_WORD.findall(obstacle.statement))
    for identity in extra:
        made = obstacle.made
        if made is None:
            found = identity.name.partition("(")[0] in words
        else:
            beside = (identity.schema, identity.table) == (made.schema, made.table)
            found = beside and made.kind in _OF_A_TABLE and identity.kind in _OF_A_TABLE
        if found:
            yield identity


def _hanging(found: set[Identity], schema: Schema) -> set[Identity]:
    """What belongs to it, and what needs it."""
    waiting, seen = list(found), set[Identity]()
    while waiting:
        identity = waiting.pop()
        for other in [*(child.identity for child in schema.children(identity)), *schema.needed_by.get(identity, ())]:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen
