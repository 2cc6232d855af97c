"""foreign-key-type: a foreign key whose columns are of another type than what they refer to."""

from collections.abc import Iterator

from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Attribute, Identity, Kind
from alembic_online.review.lint.foreign_keys import foreign_keys
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial:
        before = set(_mismatches(revision.trial.before))
        yield from (found for found in _mismatches(revision.trial.after) if found not in before)


def _mismatches(schema: Schema) -> Iterator[Found]:
    for key in foreign_keys(schema):
        for own, other in zip(key.columns, key.targets, strict=True):
            types = [_type(schema, table, column) for table, column in ((key.table, own), (key.target, other))]
            if types[0] != types[1]:
                here, there = f"{key.table.name}.{own}", f"{key.target.name}.{other}"
                said = f"{here} is {types[0]}, {there} is {types[1]} ({key.name})."
                yield Found(said, remedy=f"make {here} {types[1]} too, as {there} is")


def _type(schema: Schema, table: Identity, column: str) -> str:
    return str(schema.catalogue[Identity(Kind.COLUMN, table.schema, table.name, column)].attributes[Attribute.TYPE])


RULE = Rule(
    "foreign-key-type",
    "Values that exist on one side do not fit on the other, and every comparison converts.",
    "An integer that refers to a bigint works until the number is too large.",
    "the type of the column that it refers to",
    _check,
)
