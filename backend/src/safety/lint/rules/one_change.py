"""one-change: a revision changes one thing."""

from collections.abc import Iterator

from src.postgres.catalogue import Difference, Kind
from src.safety.lint.foreign_keys import foreign_keys
from src.safety.lint.rule import Found, Revision, Rule
from src.safety.lint.trial import Trial

_Table = tuple[str, str]


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial is None or not revision.parents:
        return  # the first makes the schema
    changes = _changes(revision.trial)
    groups = _joined(set(changes), _links(revision.trial))
    if len(groups) > 1 and len({frozenset(map(_shape, found)) for found in changes.values()}) > 1:
        yield Found("It changes what has nothing to do with each other: " + "; ".join(sorted(map(_words, groups))))


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


def _shape(difference: Difference) -> tuple[object, ...]:
    """The same change to many tables is one change: names that carry the table's do not count."""
    kind = difference.identity.kind
    return kind, difference.change, difference.attribute, difference.identity.name if kind is Kind.COLUMN else ""


def _links(trial: Trial) -> Iterator[set[_Table]]:
    for schema in (trial.before, trial.after):
        for key in foreign_keys(schema):
            yield {(key.table.schema, key.table.name), (key.target.schema, key.target.name)}


def _joined(tables: set[_Table], links: Iterator[set[_Table]]) -> list[set[_Table]]:
    groups = [{table} for table in tables]
    for link in links:
        joined = [group for group in groups if group & link]
        if len(joined) > 1:
            groups = [group for group in groups if not group & link] + [set().union(*joined)]
    return groups


def _words(group: set[_Table]) -> str:
    return ", ".join(sorted(name for _, name in group))


RULE = Rule(
    "one-change",
    "It can only be applied, reviewed and taken back as a whole.",
    "Where half of it is wrong, the other half goes back with it.",
    "a revision for each change",
    _check,
)
