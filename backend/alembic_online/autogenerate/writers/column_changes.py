"""How a column of a table changes where it is: type, default, NOT NULL, identity, expression, and all its settings."""

from collections.abc import Iterator
from typing import Any

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.casts import Conversion
from alembic_online.autogenerate.column_types import parse_type, written_type
from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.conversions import conversion, key
from alembic_online.autogenerate.existing_rows import fill_nulls
from alembic_online.autogenerate.op_rendering import Call, Comment, sql
from alembic_online.autogenerate.search_path_names import shortened
from alembic_online.autogenerate.server_default import NONE, server_default
from alembic_online.autogenerate.writers.column_settings import altered_settings
from alembic_online.autogenerate.writers.identities import given_up, taken_up
from alembic_online.autogenerate.writers.privileges import altered_grants
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_TYPE = frozenset({Attribute.TYPE, Attribute.COLLATION})
_NOT_NULL = frozenset({Attribute.NOT_NULL, Attribute.NOT_NULL_NOT_VALID, Attribute.NOT_NULL_NOT_INHERITED})
_WHOLE = ("smallint", "integer", "bigint")
NEEDS_ITS_TYPE = frozenset(
    {Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.RULE, Kind.TRIGGER, Kind.POLICY, Kind.FUNCTION, Kind.PROCEDURE}
    | {Kind.PUBLICATION, "generated"}
)

"""What PostgreSQL does not rebuild by itself when the type of a column changes."""
OTHER_TYPE = frozenset({"foreign key"})
"""And what it cannot rebuild, for the other column has the old type still."""


def disturbed(change: Change) -> frozenset[str]:
    """What stands in the way of a new type. Indexes and constraints PostgreSQL rebuilds by itself, but a foreign key
    between columns of which one has the new type already."""
    if not _TYPE & change.attributes:
        return frozenset()
    before, after = (parse_type(entry.text(Attribute.TYPE)) for entry in (change.before, change.after))
    same = before is not None and after is not None and key(before) == key(after)
    whole = {before and before.name, after and after.name} <= {*_WHOLE}
    return NEEDS_ITS_TYPE if same or whole else NEEDS_ITS_TYPE | OTHER_TYPE


def altered(change: Change, context: Context) -> list[MigrateOperation] | None:
    """The lines, in the order in which PostgreSQL takes them; None if the column must be rebuilt.

    Raises:
        RequestRefused: it becomes NOT NULL, rows hold NULL, and the models say nothing of them.
    """
    if Attribute.GENERATED in change.attributes and not _expression_only(change, context):
        return None
    return [*_lines(change, context)]


def default_changed(entry: CatalogueObject, context: Context, *, keep: bool) -> Iterator[MigrateOperation]:
    """Set the default that `entry` has, or take it away while the function that it calls is rebuilt."""
    if not keep or entry.has(Attribute.DEFAULT):
        change = Change(entry, entry)
        yield _alter(change, context, server_default=server_default(entry) if keep else NONE)


def not_null(entry: CatalogueObject) -> MigrateOperation:
    """NOT NULL with what no `nullable=False` says, PostgreSQL 18."""
    words = " NO INHERIT" * (entry.has(Attribute.NOT_NULL_NOT_INHERITED))
    words += " NOT VALID" * (entry.has(Attribute.NOT_NULL_NOT_VALID))
    return sql(f"{_alter_table(entry.identity)} ADD NOT NULL {quoted(entry.name)}{words}")


def _lines(change: Change, context: Context) -> Iterator[MigrateOperation]:
    before, after, wanted = change.before, change.after, change.attributes
    new_type = bool(_TYPE & wanted)
    converted = _conversion(change, context) if new_type else Conversion()
    yield from _expression(change)
    yield from given_up(change, context)
    without = before.has(Attribute.DEFAULT) and _goes_before(change, converted)
    if without:
        yield _alter(change, context, server_default=NONE)
    options: dict[str, Any] = {}
    if new_type:
        options["type_"] = written_type(after, context)
        options["postgresql_using"] = converted.using and shortened(converted.using)
        if converted.remark:
            yield Comment(converted.remark)
    if after.has(Attribute.DEFAULT) and (without or Attribute.DEFAULT in wanted):
        options["server_default"] = server_default(after)
    elif Attribute.DEFAULT in wanted and not without:
        options["server_default"] = NONE
    if Attribute.COMMENT in wanted:
        options["comment"] = after.attributes.get(Attribute.COMMENT, NONE)
    yield from _with_nullability(change, context, options)
    yield from taken_up(change, context)
    yield from altered_settings(before, after, new_type=new_type)
    yield from altered_grants(f"TABLE {quoted(after.schema, after.identity.table)}", change, f" ({quoted(after.name)})")


def _with_nullability(change: Change, context: Context, options: dict[str, Any]) -> Iterator[MigrateOperation]:
    """`op.alter_column` with `options`, and whether the column may be NULL."""
    before, after = (_NOT_NULL & entry.attributes.keys() for entry in (change.before, change.after))
    if before == after:
        if options:
            yield _alter(change, context, **options)
        return
    if before and (
        not after or Attribute.NOT_NULL_NOT_INHERITED in before | after or Attribute.NOT_NULL_NOT_VALID in after
    ):
        options["nullable"] = True
    filled = list(fill_nulls(change.after, context)) if after and not before else []
    plain = after == {Attribute.NOT_NULL}
    if plain and not filled and "nullable" not in options:
        options["nullable"] = False
        plain = False
    if options:
        yield _alter(change, context, **options)
    yield from filled
    if plain:
        yield _alter(change, context, nullable=False)
    elif after - {Attribute.NOT_NULL}:
        yield not_null(change.after)


def _goes_before(change: Change, converted: Conversion) -> bool:
    """Whether the default must go before the type changes, or before the column numbers its rows by itself."""
    another = Attribute.DEFAULT in change.attributes or converted.using is not None
    return change.after.has(Attribute.IDENTITY) or bool(_TYPE & change.attributes and another)


def _conversion(change: Change, context: Context) -> Conversion:
    before, after = (entry.text(Attribute.TYPE) for entry in (change.before, change.after))
    found = conversion(change.identity.name, before, after, context.new)
    return Conversion() if change.after.has(Attribute.GENERATED) else found


def _expression_only(change: Change, context: Context) -> bool:
    """Whether a generated column can change where it is: it becomes a plain one, or is computed another way."""
    before, after = (entry.text(Attribute.GENERATED) for entry in (change.before, change.after))
    if not before.endswith("STORED"):
        return False
    if not after:
        return True
    return after.endswith("STORED") and not _TYPE & change.attributes and context.new.version >= 17


def _expression(change: Change) -> Iterator[MigrateOperation]:
    if Attribute.GENERATED in change.attributes:
        after = change.after.text(Attribute.GENERATED)
        expression = after.removeprefix("ALWAYS AS ").removesuffix(" STORED")
        action = f"SET EXPRESSION AS {expression}" if after else "DROP EXPRESSION"
        yield sql(f"{_alter_table(change.identity)} ALTER COLUMN {quoted(change.identity.name)} {action}")


def _alter(change: Change, context: Context, **options: Any) -> MigrateOperation:
    _, schema, table, name = change.identity
    return Call("alter_column", table, name, **options, schema=context.schema_option(schema))


def _alter_table(column: Identity) -> str:
    return f"ALTER TABLE {quoted(column.schema, column.table)}"
