"""The picture of the tables, made from the models: `python -m src.db.diagram` prints it in mermaid.

`python -m src.db.diagram --write migrations/tables.md` puts it between the markers of a Markdown file instead.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, ForeignKeyConstraint, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from src.db.models import Base

BEGIN, END = "<!-- erd:begin -->", "<!-- erd:end -->"


def diagram(metadata: MetaData) -> str:
    """A mermaid `erDiagram` of all tables: columns with type and keys, relations with their cardinality."""
    lines = ["erDiagram"]
    for table in metadata.sorted_tables:
        lines += _entity(table)
    for table in metadata.sorted_tables:
        lines += sorted(_relation(key) for key in table.foreign_key_constraints)
    return "\n".join(lines)


def replace_block(document: str, drawing: str) -> str:
    """The document with the drawing between its markers.

    Raises:
        ValueError: it does not have both markers, once each.
    """
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise ValueError(f"There is no place for the diagram. Put the lines {BEGIN} and {END} where it belongs.")
    block = f"{BEGIN}\n```mermaid\n{drawing}\n```\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: block, document, flags=re.DOTALL)


def _entity(table: Table) -> Iterator[str]:
    yield f"    {table.name} {{"
    for column in table.columns:
        words = [_type(column), column.name, ", ".join(_keys(column))]
        yield f"        {' '.join(filter(None, words))}"
    yield "    }"


def _type(column: Column[object]) -> str:
    """The type as PostgreSQL names it, in the one word that mermaid allows: `varchar(320)`, `double_precision`."""
    name = column.type.compile(postgresql.dialect()).removesuffix(" WITH TIME ZONE")  # type: ignore[no-untyped-call]
    return name.replace("TIMESTAMP", "TIMESTAMPTZ").replace(" ", "_").lower()


def _keys(column: Column[object]) -> Iterator[str]:
    if column.primary_key:
        yield "PK"
    if column.foreign_keys:
        yield "FK"
    if _is_unique(column):
        yield "UK"


def _is_unique(column: Column[object]) -> bool:
    """Whether a unique constraint or index is about this column alone (`lower(email)` counts)."""
    table = column.table
    assert isinstance(table, Table)
    rules = [set(rule.columns) for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    rules += [set(index.columns) for index in table.indexes if index.unique]
    return {column} in rules


def _relation(key: ForeignKeyConstraint) -> str:
    [column] = key.columns
    parent = "|o" if column.nullable else "||"
    children = "o|" if _is_unique(column) else "o{"
    return f"    {key.referred_table.name} {parent}--{children} {key.table.name} : {column.name}"


def main() -> None:
    """Print the diagram, or write it into a file."""
    parser = argparse.ArgumentParser(prog="python -m src.db.diagram", description="Draw the tables in mermaid.")
    parser.add_argument("--write", type=Path, metavar="FILE", help="replace the diagram in this Markdown file")
    file: Path | None = parser.parse_args().write
    drawing = diagram(Base.metadata)
    if file is None:
        print(drawing)
        return
    try:
        document = replace_block(file.read_text(encoding="utf-8"), drawing)
    except (OSError, ValueError) as error:
        parser.error(f"{file} stays as it is. {error}")
    file.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main()
