"""The picture of the tables in migrations/tables.md is that of the models."""

from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

from src.db.diagram import BEGIN, END, diagram, replace_block
from src.db.models import Base

PAGE = Path(__file__).resolve().parents[2] / "migrations" / "tables.md"


def test_the_diagram_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8")
    refreshed = replace_block(written, diagram(Base.metadata))
    assert written == refreshed, "It is stale. Run in backend/: python -m src.db.diagram --write migrations/tables.md"


def test_a_diagram_shows_columns_keys_and_cardinality() -> None:
    metadata = MetaData()
    Table("parents", metadata, Column("id", Integer, primary_key=True), Column("email", String(9), unique=True))
    Table(
        "children",
        metadata,
        Column("only", ForeignKey("parents.id"), unique=True, nullable=False),
        Column("many", ForeignKey("parents.id"), nullable=False),
        Column("maybe", ForeignKey("parents.id")),
    )
    assert diagram(metadata).splitlines() == [
        "erDiagram",
        "    parents {",
        "        integer id PK",
        "        varchar(9) email UK",
        "    }",
        "    children {",
        "        integer only FK, UK",
        "        integer many FK",
        "        integer maybe FK",
        "    }",
        "    parents |o--o{ children : maybe",
        "    parents ||--o{ children : many",
        "    parents ||--o| children : only",
    ]


def test_only_what_is_between_the_markers_is_replaced() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replace_block(document, "new") == f"before\n{BEGIN}\n```mermaid\nnew\n```\n{END}\nafter\n"


@pytest.mark.parametrize("document", ["", BEGIN, END, f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_document_without_a_place_for_it_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="There is no place for the diagram"):
        replace_block(document, "new")
