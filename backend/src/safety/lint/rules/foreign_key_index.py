"""foreign-key-index: a foreign key that no index serves."""

from collections.abc import Iterator

from src.safety.autogenerate.context import Schema
from src.safety.lint.foreign_keys import ForeignKey, foreign_keys, leading_columns
from src.safety.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial:
        before = set(_without_index(revision.trial.before))
        for key in _without_index(revision.trial.after):
            if key not in before:
                yield Found(f"No index of {key.table.name} begins with {', '.join(key.columns)} ({key.name}).")


def _without_index(schema: Schema) -> Iterator[ForeignKey]:
    indexes = leading_columns(schema)
    for key in foreign_keys(schema):
        served = (frozenset(columns[: len(key.columns)]) for columns in indexes.get(key.table, ()))
        if frozenset(key.columns) not in served:
            yield key


RULE = Rule(
    "foreign-key-index",
    "Each DELETE of a row that may be referred to, and each join, reads the whole table.",
    "PostgreSQL makes no index for a foreign key, and looks for the referring rows by its columns.",
    'op.create_index("ix_pages_book_id", "pages", ["book_id"])',
    _check,
)
