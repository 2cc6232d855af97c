"""Where two branches touch the same thing, whatever their order: told from what each makes of the common schema."""

from collections.abc import Iterator

from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Identity, Kind, compare

_RELATIONS = frozenset({Kind.TABLE, Kind.FOREIGN_TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.INDEX, Kind.SEQUENCE})
"""Kinds that share their names within a schema (pg_class)."""


def clashes(base: Schema, mine: Schema, theirs: Schema) -> list[str]:
    """A line for each object that both change, each name that both give, each thing that one drops and the other uses.

    What only rows show (two backfills of one column) is not seen.
    """
    found = [*_both_change(base, mine, theirs), *_one_name(base, mine, theirs)]
    found += _dropped_and_used(base, mine, theirs, "you", "they")
    found += _dropped_and_used(base, theirs, mine, "they", "you")
    return list(dict.fromkeys(found))


def _both_change(base: Schema, mine: Schema, theirs: Schema) -> Iterator[str]:
    ours = compare(base.catalogue, mine.catalogue)
    for other in compare(base.catalogue, theirs.catalogue):
        for own in ours:
            if own.identity == other.identity:
                yield f"both touch {own} (you); {str(other).rpartition(': ')[2]} (they)"


def _one_name(base: Schema, mine: Schema, theirs: Schema) -> Iterator[str]:
    def made(schema: Schema) -> dict[tuple[str, str], Identity]:
        new = schema.catalogue.keys() - base.catalogue.keys()
        return {(each.schema, each.name): each for each in new if each.kind in _RELATIONS}

    ours, others = made(mine), made(theirs)
    for name in sorted(ours.keys() & others.keys()):
        if ours[name] != others[name]:
            yield f"both make {name[1]}: {_words(ours[name])} (you); {_words(others[name])} (they)"


def _dropped_and_used(base: Schema, user: Schema, dropper: Schema, who: str, whom: str) -> Iterator[str]:
    dropped = base.catalogue.keys() - dropper.catalogue.keys()
    for change in compare(base.catalogue, user.catalogue):
        needs = {*user.needs.get(change.identity, ()), *user.ancestors(change.identity)}
        if change.change != "removed" and (gone := sorted(needs & dropped)):
            yield f"{who} touch {_words(change.identity)}, and {whom} drop {', '.join(map(_words, gone))}"


def _words(identity: Identity) -> str:
    table = f"{identity.table}." if identity.table else ""
    return f"{identity.kind} {table}{identity.name}"
