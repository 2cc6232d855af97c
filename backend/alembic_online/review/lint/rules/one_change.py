"""one-change: a revision changes one thing."""

import re
from collections import defaultdict
from collections.abc import Iterator

from alembic_online.postgres.catalogue import Difference, Kind
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.foreign_keys import foreign_keys
from alembic_online.review.lint.groups import joined
from alembic_online.review.lint.removed import renamed
from alembic_online.review.lint.rule import Found, Revision, Rule

_Table = tuple[str, str]
_WORD = re.compile(r"[a-z]{3,}")
_SAY_NOTHING = frozenset(
    {"ix", "idx", "index", "uq", "fk", "pk", "ck", "key", "fkey", "pkey", "check", "created", "updated"}
)


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial is None or not revision.parents:
        return  # the first makes the schema
    changes = _changes(revision.trial)
    links = [*_foreign_keys(revision.trial), *_renames(revision.trial), *_alike(changes)]
    groups = joined(set(changes), links)
    if len(groups) > 1 and len({frozenset(map(_shape, found)) for found in changes.values()}) > 1:
        said = "It changes what has nothing to do with each other: " + "; ".join(sorted(map(_words, groups)))
        yield Found(said, revision.trial.line_of(*(name for _, name in min(groups, key=sorted))))


def _changes(trial: Trial) -> dict[_Table, list[Difference]]:
    """What differs, by table."""
    catalogues = (trial.before.catalogue, trial.after.catalogue)
    tables = {(each.schema, each.name) for found in catalogues for each in found if each.kind is Kind.TABLE}
    changes: dict[_Table, list[Difference]] = {}
    for each in trial.differences:
        table = each.identity.schema, each.identity.table or each.identity.name
        if table in tables and (each.identity.table or each.identity.kind is Kind.TABLE):
            changes.setdefault(table, []).append(each)
    return changes


def _foreign_keys(trial: Trial) -> Iterator[set[_Table]]:
    for schema in (trial.before, trial.after):
        for key in foreign_keys(schema):
            yield {(key.table.schema, key.table.name), (key.target.schema, key.target.name)}


def _renames(trial: Trial) -> Iterator[set[_Table]]:
    """A table that is gone and the one that has its place."""
    tables = [each for each in trial.differences if each.identity.kind is Kind.TABLE]
    for old in tables:
        if old.change == "removed" and (new := renamed(trial, old.identity.name)):
            yield {each.identity[1::2] for each in tables if each is old or each.identity.name in new}


def _alike(changes: dict[_Table, list[Difference]]) -> Iterator[set[_Table]]:
    """Tables that are changed in the same way, or for the same: the changes have a word in common."""
    shapes, words = defaultdict(set), defaultdict(set)
    for table, found in changes.items():
        for each in found:
            if each.identity.kind is Kind.COLUMN or each.attribute is not None:
                shapes[_shape(each)].add(table)
            for word in _WORD.findall(each.identity.name.lower()):
                words[word.removesuffix("s")].add(table)
    yield from shapes.values()
    yield from (tables for word, tables in words.items() if word not in _SAY_NOTHING)


def _shape(difference: Difference) -> tuple[object, ...]:
    """The same change to many tables is one change: names that carry the table's do not count."""
    kind = difference.identity.kind
    named = kind is Kind.COLUMN and difference.attribute is None
    name = difference.identity.name if named else ""
    return kind, difference.change, difference.attribute, difference.before, difference.after, name


def _words(group: set[_Table]) -> str:
    return ", ".join(sorted(name for _, name in group))


RULE = Rule(
    "one-change",
    "It can only be applied, reviewed and taken back as a whole.",
    "Where half of it is wrong, the other half goes back with it.",
    "a revision for each change",
    _check,
)
