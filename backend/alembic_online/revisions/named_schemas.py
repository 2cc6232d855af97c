"""Which schemas a project says itself: in its models, and in its revisions.

By themselves they say nothing of the default schema, that of names which say none, even where the search_path leads to
one of them first.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import MetaData
from sqlalchemy.types import SchemaType, TypeEngine

from alembic_online.postgres.declared import SQLObject, declared

_SCHEMA = r"CREATE\s+SCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?[\\\"]*(\w+)"
_CREATE_SCHEMA = re.compile(rf"\s*{_SCHEMA}", re.IGNORECASE)
_MADE = re.compile(_SCHEMA, re.IGNORECASE)
_CREATE_TABLE = r"(create_table\(\s*|CREATE\s+TABLE\s+(IF\s+NOT\s+EXISTS\s+)?)[\\\"']*(\w+[\\\"]*\.[\\\"]*)?"
_EXTENSION = re.compile(r"CREATE\s+EXTENSION\s+(IF\s+NOT\s+EXISTS\s+)?[\\\"]*(\w+)", re.IGNORECASE)


def schemas_of_models(metadata: MetaData) -> set[str]:
    """Those of tables, sequences and types (also of a type that no table has yet), and those that are declared."""
    named = {table.schema for table in metadata.tables.values()}
    named |= {sequence.schema for sequence in metadata._sequences.values()}
    named |= {getattr(type_, "schema", None) for type_ in _types(metadata)}  # a Boolean has none
    return {schema for schema in named if schema} | declared_schemas(metadata)


def declared_schemas(metadata: MetaData) -> set[str]:
    """Those that `declare(metadata, SQLObject("CREATE SCHEMA ..."))` makes."""
    statements = (item.sql for item in declared(metadata) if isinstance(item, SQLObject))
    return {match[1] for statement in statements if (match := _CREATE_SCHEMA.match(statement))}


def schemas_of_project(metadata: MetaData, scripts: ScriptDirectory) -> set[str]:
    """Those of the models and those that a revision makes."""
    return schemas_of_models(metadata) | schemas_of_revisions(scripts)


def schemas_of_revisions(scripts: ScriptDirectory) -> set[str]:
    """Those that a revision file creates."""
    return {match[1] for match in _MADE.finditer(text_of_revisions(scripts))}


def made_by_revisions(scripts: ScriptDirectory, names: Iterable[str]) -> bool:
    """Whether a revision file has a line that makes one of these tables, by its name."""
    any_of = "|".join(map(re.escape, names))
    return re.search(rf"{_CREATE_TABLE}({any_of})\b", text_of_revisions(scripts), re.IGNORECASE) is not None


def extensions_of_revisions(scripts: ScriptDirectory) -> dict[str, bool]:
    """The extensions that a revision file creates, and whether one does so without IF NOT EXISTS."""
    found: dict[str, bool] = {}
    for match in _EXTENSION.finditer(text_of_revisions(scripts)):
        found[match[2]] = found.get(match[2], False) or match[1] is None
    return found


def text_of_revisions(scripts: ScriptDirectory) -> str:
    """All revision files, one after the other."""
    return "\n".join(Path(script.path).read_text(encoding="utf-8") for script in scripts.walk_revisions())


def _types(metadata: MetaData) -> Iterator[SchemaType]:
    """An Enum that hangs on the MetaData alone is known to its listener only (SQLAlchemy 2.0)."""
    for listener in metadata.dispatch.before_create:
        method = getattr(listener, "func", listener)
        owner = getattr(method, "__self__", getattr(method, "target", None))
        if isinstance(owner, SchemaType):
            yield owner
    for table in metadata.tables.values():
        for column in table.columns:
            inner: TypeEngine[object] = getattr(column.type, "item_type", column.type)
            if isinstance(inner, SchemaType):
                yield inner
