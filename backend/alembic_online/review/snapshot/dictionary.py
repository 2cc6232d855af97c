"""The data dictionary: every table with its columns, keys and references, in Markdown with a picture."""

import re
from collections.abc import Iterator

from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind
from alembic_online.postgres.catalogue.words import qualified, short

_REFERENCE = re.compile(r"FOREIGN KEY \((.+?)\) REFERENCES (\S+?)\((.+?)\)(.*)")


def dictionary(schema: Schema, head: str) -> str:
    """The whole file."""
    tables = _tables(schema)
    lines = [f"# The schema at {head}", "", "Written by `python -m alembic_online snapshot`; do not edit.", ""]
    lines += ["```mermaid", *_picture(schema, tables), "```", ""]
    for table in tables:
        lines += _table(schema, table)
    return "\n".join(lines).rstrip() + "\n"


def _picture(schema: Schema, tables: list[CatalogueObject]) -> Iterator[str]:
    yield "erDiagram"
    for table in tables:
        for columns, target, _, _ in _references(schema, table):
            own = [column for column in _columns(schema, table) if column.name in columns]
            one = "||" if all(column.has(Attribute.NOT_NULL) for column in own) else "|o"
            yield f"    {_word(target)} {one}--o{{ {_word(_name(table))} : {_word('_'.join(columns))}"
    yield from (f"    {_word(_name(table))}" for table in tables)


def _table(schema: Schema, table: CatalogueObject) -> Iterator[str]:
    yield from (f"## {_name(table)}", "")
    if comment := table.attributes.get(Attribute.COMMENT):
        yield from (str(comment), "")
    yield from ("| column | type | default | meaning |", "|---|---|---|---|")
    for column in _columns(schema, table):
        yield f"| {' | '.join(_cells(column))} |"
    yield ""
    for key in schema.children(table.identity, Kind.CONSTRAINT):
        if key.attributes[Attribute.TYPE] != "foreign key":
            yield f"- `{key.name}`: {_code(short(key.text(Attribute.DEFINITION)))}"
    for columns, target, others, action in _references(schema, table):
        yield f"- {', '.join(columns)} refers to {target} ({others}){action.lower()}"
    for other, columns in _referring(schema, table):
        yield f"- referred to by {other} ({', '.join(columns)})"
    yield ""


def _cells(column: CatalogueObject) -> Iterator[str]:
    stated = column.attributes
    yield f"`{column.name}`"
    yield _code(short(str(stated[Attribute.TYPE]))) + ("" if Attribute.NOT_NULL in stated else ", may be NULL")
    default = stated.get(Attribute.DEFAULT) or stated.get(Attribute.GENERATED)
    identity = f"identity {stated[Attribute.IDENTITY]}" if Attribute.IDENTITY in stated else ""
    yield _code(short(str(default))) if default else identity
    yield str(stated.get(Attribute.COMMENT, "")).replace("|", "\\|").replace("\n", " ")


def _columns(schema: Schema, table: CatalogueObject) -> list[CatalogueObject]:
    return schema.children(table.identity, Kind.COLUMN)


def _references(schema: Schema, table: CatalogueObject) -> Iterator[tuple[list[str], str, str, str]]:
    for key in schema.children(table.identity, Kind.CONSTRAINT):
        if match := _REFERENCE.match(key.text(Attribute.DEFINITION)):
            columns, target, others, action = match.groups()
            yield columns.split(", "), short(target), others, action


def _referring(schema: Schema, table: CatalogueObject) -> Iterator[tuple[str, list[str]]]:
    for other in _tables(schema):
        yield from ((_name(other), c) for c, target, _, _ in _references(schema, other) if target == _name(table))


def _tables(schema: Schema) -> list[CatalogueObject]:
    return [schema.catalogue[identity] for identity in sorted(schema.catalogue) if identity.kind is Kind.TABLE]


def _name(table: CatalogueObject) -> str:
    return qualified(table.schema, table.name)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|").replace("\n", " ")


def _word(text: str) -> str:
    """One word, as mermaid wants it."""
    return re.sub(r"\W", "_", text)
