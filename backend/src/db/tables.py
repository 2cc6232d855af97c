"""The models' tables, for statements that need no entity: a row is what was selected, and costs no more."""

from typing import Any, TypeAlias

from sqlalchemy import Row

from src.db.models import Base

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""What such a statement answers; the names are those of its columns."""

_tables = Base.metadata.tables

users = _tables["users"]
user_profiles = _tables["user_profiles"]
modules = _tables["modules"]
chapters = _tables["chapters"]
embeddings = _tables["embeddings"]
chapter_progress = _tables["chapter_progress"]
chat_messages = _tables["chat_messages"]
translations = _tables["translations"]
capstone_submissions = _tables["capstone_submissions"]
