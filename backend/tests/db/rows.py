"""The least that a row of each table needs, as one family: every row refers to the ones above it."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, text

USER, REVIEWER = UUID(int=1), UUID(int=2)
MODULE, CHAPTER, MESSAGE = UUID(int=3), UUID(int=4), UUID(int=5)

LONG_AGO = datetime(2001, 2, 3, tzinfo=UTC)

Row = dict[str, object]

MINIMAL: dict[str, Row] = {
    "users": {"id": USER, "email": "ada@example.org", "password_hash": "x", "name": "Ada"},
    "user_profiles": {"id": UUID(int=10), "user_id": USER},
    "modules": {"id": MODULE, "slug": "basics", "title": "Basics", "description": "", "position": 1},
    "chapters": {
        "id": CHAPTER,
        "module_id": MODULE,
        "slug": "intro",
        "title": "Intro",
        "description": "",
        "position": 1,
    },
    "embeddings": {
        "id": UUID(int=11),
        "chapter_id": CHAPTER,
        "chunk_index": 0,
        "content": "words",
        "embedding": [1.0] + [0.0] * 1535,
    },
    "chapter_progress": {"id": UUID(int=12), "user_id": USER, "chapter_id": CHAPTER},
    "chat_messages": {
        "id": MESSAGE,
        "user_id": USER,
        "conversation_session_id": UUID(int=20),
        "query": "Why?",
        "response": "Because.",
    },
    "translations": {
        "id": UUID(int=13),
        "chapter_id": CHAPTER,
        "language_code": "de",
        "title": "Einstieg",
        "description": "",
    },
    "capstone_submissions": {"id": UUID(int=14), "user_id": USER, "title": "Rover", "description": ""},
}


def insert(connection: Connection, table: str, **changes: object) -> None:
    """Insert the table's row by plain SQL, with some columns changed."""
    row = MINIMAL[table] | changes
    columns, places = ", ".join(row), ", ".join(f":{column}" for column in row)
    values = {column: str(value) if isinstance(value, list) else value for column, value in row.items()}
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({places})"), values)


def insert_family(connection: Connection) -> None:
    """A row in each of the tables, each referring to the others, and none from today."""
    for table in MINIMAL:
        insert(connection, table, created_at=LONG_AGO, updated_at=LONG_AGO)


def count(connection: Connection, table: str) -> int:
    """How many rows the table has."""
    return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
