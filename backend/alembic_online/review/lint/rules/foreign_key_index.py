"""foreign-key-index: a foreign key that no index serves."""

from collections.abc import Iterator

from alembic_online.autogenerate.context import Schema
from alembic_online.review.lint.foreign_keys import ForeignKey, foreign_keys, leading_columns
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial:
        # A table that got another name brings its foreign keys along.
        before = {(key.name, key.columns) for key in _without_index(revision.trial.before)}
        for key in _without_index(revision.trial.after):
            if (key.name, key.columns) not in before:
                said = f"No index of {key.table.name} begins with {', '.join(key.columns)} ({key.name})."
                yield Found(said, revision.trial.line_of(key.table.name, key.name), _remedy(key))


def _remedy(key: ForeignKey) -> str:
    table, columns = key.table.name, ", ".join(f'"{column}"' for column in key.columns)
    return f'op.create_index("ix_{table}_{"_".join(key.columns)}", "{table}", [{columns}])'


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
