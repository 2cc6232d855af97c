"""Primary keys, unique, foreign key, check and exclusion constraints of tables.

What SQLAlchemy can say stands in its words, in `create_table` or by itself; all else is `ALTER TABLE ... ADD
CONSTRAINT` with the definition that PostgreSQL prints.
"""

from collections.abc import Iterator
from typing import Any

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.constraint_rendering import Words, words_of
from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import Call, Code, code, named, sql
from alembic_online.autogenerate.writers.indexes import index_properties
from alembic_online.autogenerate.writers.writer import Writer, comment, comment_on
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_TYPES = {"primary key": "primary", "unique": "unique", "foreign key": "foreignkey", "check": "check"}
_ECHOES = frozenset({Attribute.INHERITED, Attribute.PART_OF})
"""What follows from a change of the table."""


def constraint(entry: CatalogueObject, context: Context) -> Code | None:
    """`sa.CheckConstraint(...)` and the like, inside of a table; None if it needs a line of its own."""
    words = words_of(entry, context)
    if words is None or entry.has(Attribute.NOT_VALID):
        return None
    return code(words.in_table, *words.of_table, name=named(entry.name), **words.options)


def constraint_properties(entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
    """The lines after it for what its definition does not say: its comment, and what its index has."""
    yield from comment(_target(entry.identity), entry)
    for index in context.new.children(entry.identity, Kind.INDEX):
        yield from index_properties(index)


class ConstraintWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        words = words_of(entry, context)
        line = _add(entry) if words is None or not words.operation else _operation(entry, words, context)
        return [line, *constraint_properties(entry, context)]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        _, schema, table, name = entry.identity
        type_ = _TYPES.get(entry.text(Attribute.TYPE))
        return [Call("drop_constraint", named(name), table, type_=type_, schema=context.schema_option(schema))]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        lines: list[MigrateOperation] = []
        left = change.attributes - _ECHOES
        if left & {Attribute.DEFERRABLE, Attribute.INITIALLY_DEFERRED, Attribute.NOT_ENFORCED}:
            if change.after.attributes[Attribute.TYPE] != "foreign key" or change.after.has(Attribute.NOT_VALID):
                return None
            lines.extend(_alter_constraint(change))
            left -= {Attribute.DEFERRABLE, Attribute.INITIALLY_DEFERRED, Attribute.NOT_ENFORCED, Attribute.NOT_VALID}
        if Attribute.NOT_VALID in left and change.before.has(Attribute.NOT_VALID):
            lines.append(sql(f"{_table(change.identity)} VALIDATE CONSTRAINT {quoted(change.identity.name)}"))
            left -= {Attribute.NOT_VALID}
        if Attribute.COMMENT in left:
            lines.append(comment_on(_target(change.identity), change.after))
            left -= {Attribute.COMMENT}
        return None if left else lines


def _operation(entry: CatalogueObject, words: Words, context: Context) -> MigrateOperation:
    """`op.create_check_constraint(...)` and the like."""
    _, schema, table, name = entry.identity
    given: dict[str, Any] = dict(words.options)
    if entry.has(Attribute.NOT_VALID):
        given["postgresql_not_valid"] = True
    given |= words.schemas or {"schema": context.schema_option(schema)}
    return Call(words.operation, named(name), table, *words.of_operation, **given)


def _add(entry: CatalogueObject) -> MigrateOperation:
    """`ALTER TABLE ... ADD CONSTRAINT`."""
    stated = entry.attributes
    ends = {
        Attribute.NOT_INHERITED: "NO INHERIT",
        Attribute.DEFERRABLE: "DEFERRABLE",
        Attribute.INITIALLY_DEFERRED: "INITIALLY DEFERRED",
        Attribute.NOT_ENFORCED: "NOT ENFORCED",
        Attribute.NOT_VALID: "NOT VALID",
    }
    said = [str(stated[Attribute.DEFINITION]), *(words for name, words in ends.items() if name in stated)]
    return sql(f"{_table(entry.identity)} ADD CONSTRAINT {quoted(entry.name)} {' '.join(said)}")


def _alter_constraint(change: Change) -> Iterator[MigrateOperation]:
    """A foreign key's checking changed where it is: PostgreSQL has this for no other constraint."""
    start, after = f"{_table(change.identity)} ALTER CONSTRAINT {quoted(change.identity.name)}", change.after.attributes
    if change.attributes & {Attribute.DEFERRABLE, Attribute.INITIALLY_DEFERRED}:
        moment = "INITIALLY DEFERRED" if Attribute.INITIALLY_DEFERRED in after else "INITIALLY IMMEDIATE"
        yield sql(f"{start} DEFERRABLE {moment}" if Attribute.DEFERRABLE in after else f"{start} NOT DEFERRABLE")
    if Attribute.NOT_ENFORCED in change.attributes:
        yield sql(f"{start} {'NOT ENFORCED' if Attribute.NOT_ENFORCED in after else 'ENFORCED'}")


def _table(identity: Identity) -> str:
    return f"ALTER TABLE {quoted(identity.schema, identity.table)}"


def _target(identity: Identity) -> str:
    return f"CONSTRAINT {quoted(identity.name)} ON {quoted(identity.schema, identity.table)}"
