"""A constraint's definition in the words of SQLAlchemy and Alembic, if they have words for all of it.

`FOREIGN KEY (a) REFERENCES public.t(x) ON DELETE CASCADE` has words, `ON DELETE SET NULL (a)` has none.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from alembic_online.autogenerate.context import Context
from alembic_online.autogenerate.definition_parser import (
    clauses,
    is_name,
    items,
    name,
    names,
    qualified_name,
    unwrapped,
)
from alembic_online.autogenerate.model_spelling import check_words
from alembic_online.autogenerate.op_rendering import code, text
from alembic_online.autogenerate.search_path_names import shortened
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

_REFERENCES = re.compile(
    r"(?: MATCH (?P<match>FULL))?(?: ON UPDATE (?P<onupdate>[A-Z ]+?))?(?: ON DELETE (?P<ondelete>[A-Z ]+?))?"
)
_WORDLESS = frozenset({Attribute.NOT_INHERITED, Attribute.NOT_ENFORCED})


@dataclass(frozen=True)
class Words:
    """How to say a constraint, within `create_table` and as an operation of its own."""

    in_table: str
    of_table: list[Any]
    operation: str
    """Empty if Alembic's operation cannot say it, though `create_table` can."""
    of_operation: list[Any]
    options: dict[str, Any] = field(default_factory=dict)
    schemas: dict[str, str | None] = field(default_factory=dict)
    """What the operation is told beside: the schema of the table, and of the table it refers to."""


def words_of(entry: CatalogueObject, context: Context) -> Words | None:
    """The words for it, but for its name; None if there are none."""
    stated = entry.attributes
    if not _WORDLESS.isdisjoint(stated):
        return None
    deferred = "DEFERRED" if Attribute.INITIALLY_DEFERRED in stated else None
    options = {"deferrable": True if Attribute.DEFERRABLE in stated else None, "initially": deferred}
    return _PARSERS[str(stated[Attribute.TYPE])](entry, options, context)


def _check(entry: CatalogueObject, options: dict[str, Any], context: Context) -> Words | None:
    words = check_words(entry, context)
    expression = [text(unwrapped(_definition(entry).removeprefix("CHECK ")) if words is None else words)]
    return Words("sa.CheckConstraint", expression, "create_check_constraint", expression, options)


def _primary_key(entry: CatalogueObject, options: dict[str, Any], _: Context) -> Words | None:
    said = clauses(_definition(entry))
    if len(said) > 3 or not all(map(is_name, items(said[2]))):
        return None
    columns = names(said[2])
    operation = "" if any(options.values()) else "create_primary_key"
    return Words("sa.PrimaryKeyConstraint", list(columns), operation, [columns], options)


def _unique(entry: CatalogueObject, options: dict[str, Any], _: Context) -> Words | None:
    *said, group = clauses(_definition(entry))
    if said not in (["UNIQUE"], ["UNIQUE", "NULLS", "NOT", "DISTINCT"]) or not all(map(is_name, items(group))):
        return None
    columns = names(group)
    options["postgresql_nulls_not_distinct"] = True if len(said) > 1 else None
    return Words("sa.UniqueConstraint", list(columns), "create_unique_constraint", [columns], options)


def _foreign_key(entry: CatalogueObject, options: dict[str, Any], context: Context) -> Words | None:
    _, _, local, _, target, remote, *rest = clauses(_definition(entry))
    match = _REFERENCES.fullmatch("".join(f" {word}" for word in rest))
    columns, referred = names(local), names(remote)
    schema, table = qualified_name(target)
    if (
        match is None
        or not all(map(is_name, items(local) + items(remote)))
        or "." in "".join((schema, table, *referred))
    ):
        return None  # SET NULL (a), PERIOD, or a name that SQLAlchemy would take for two
    referent = context.schema_option(schema)
    options |= match.groupdict()
    qualified = table if referent is None else f"{referent}.{table}"
    return Words(
        "sa.ForeignKeyConstraint",
        [columns, [f"{qualified}.{column}" for column in referred]],
        "create_foreign_key",
        [table, columns, referred],
        options,
        {"source_schema": context.schema_option(entry.schema), "referent_schema": referent},
    )


def _exclusion(entry: CatalogueObject, options: dict[str, Any], _: Context) -> Words | None:
    _exclude, _using, method, group, *rest = clauses(_definition(entry))
    elements = [item.rpartition(" WITH ")[::2] for item in items(group)]
    if rest[:1] not in ([], ["WHERE"]) or not all(is_name(column) for column, _ in elements):
        return None
    options["using"] = method
    options["where"] = text(unwrapped(rest[1])) if rest else None
    pairs = [code("", name(column), shortened(operator)) for column, operator in elements]
    return Words("postgresql.ExcludeConstraint", pairs, "create_exclude_constraint", pairs, options)


def _definition(entry: CatalogueObject) -> str:
    return entry.text(Attribute.DEFINITION)


_PARSERS: dict[str, Callable[[CatalogueObject, dict[str, Any], Context], Words | None]] = {
    "check": _check,
    "primary key": _primary_key,
    "unique": _unique,
    "foreign key": _foreign_key,
    "exclusion": _exclusion,
}
