"""The nine tables of the course platform. Their columns, and the queries their indexes serve, are what 001 makes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from alembic_online.postgres.declared import Extension, SQLObject, declare
from src.db.base import Base as Base
from src.db.base import belongs_to, owns
from src.db.enums import DifficultyLevel, ProgressStatus, SubmissionStatus, Theme
from src.db.search_document import SEARCH_DOCUMENT


class User(Base):
    """An account."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(320))
    password_hash: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(server_default="true")
    is_admin: Mapped[bool] = mapped_column(server_default="false")
    language_preference: Mapped[str] = mapped_column(String(35), server_default="en")  # a BCP 47 tag
    theme: Mapped[Theme] = mapped_column(server_default=Theme.SYSTEM)
    last_login: Mapped[datetime | None]
    sign_outs: Mapped[int] = mapped_column(server_default=text("0"))  # a token is of the number at which it was issued

    profile: Mapped[UserProfile | None] = owns(back_populates="user")
    progress: Mapped[list[ChapterProgress]] = owns(back_populates="user")
    chat_messages: Mapped[list[ChatMessage]] = owns(back_populates="user")
    submissions: Mapped[list[CapstoneSubmission]] = owns(
        back_populates="user", foreign_keys="CapstoneSubmission.user_id"
    )

    # One account an address, whatever its case.
    __table_args__ = (Index("uq_users_email", func.lower(email), unique=True),)


class UserProfile(Base):
    """What a user tells about himself; at most one a user."""

    __tablename__ = "user_profiles"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    bio: Mapped[str | None] = mapped_column(String(500))
    avatar_url: Mapped[str | None] = mapped_column(String(2048))
    organization: Mapped[str | None] = mapped_column(String(255))
    country: Mapped[str | None] = mapped_column(String(100))
    email_notifications: Mapped[bool] = mapped_column(server_default="true")
    show_progress_publicly: Mapped[bool] = mapped_column(server_default="false")

    user: Mapped[User] = belongs_to(back_populates="profile")


class Module(Base):
    """A part of the course."""

    __tablename__ = "modules"

    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str]
    position: Mapped[int]
    is_published: Mapped[bool] = mapped_column(server_default="false")
    published_at: Mapped[datetime | None]

    chapters: Mapped[list[Chapter]] = owns(back_populates="module", order_by="Chapter.position, Chapter.id")

    __table_args__ = (Index(None, "position", "id"),)


class Chapter(Base):
    """A lesson within a module."""

    __tablename__ = "chapters"

    module_id: Mapped[UUID] = mapped_column(ForeignKey("modules.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str]
    position: Mapped[int]
    difficulty_level: Mapped[DifficultyLevel] = mapped_column(server_default=DifficultyLevel.INTERMEDIATE)
    estimated_duration_minutes: Mapped[int] = mapped_column(server_default=text("60"))
    content_html: Mapped[str | None]
    learning_objectives: Mapped[list[str]] = mapped_column(server_default="{}")
    is_published: Mapped[bool] = mapped_column(server_default="false")
    published_at: Mapped[datetime | None]
    # What full-text search looks into; kept by a trigger, and of no use outside of the database.
    search_document: Mapped[str | None] = mapped_column(TSVECTOR, deferred=True, deferred_raiseload=True)

    module: Mapped[Module] = belongs_to(back_populates="chapters")
    embeddings: Mapped[list[Embedding]] = owns(back_populates="chapter", order_by="Embedding.chunk_index")
    progress: Mapped[list[ChapterProgress]] = owns(back_populates="chapter")
    translations: Mapped[list[Translation]] = owns(back_populates="chapter")

    __table_args__ = (
        UniqueConstraint("module_id", "slug"),
        # In order; is_published is there to count the published ones from the index alone.
        Index(None, "module_id", "position", "id", postgresql_include=["is_published"]),
        Index(None, "search_document", postgresql_using="gin"),
        CheckConstraint("estimated_duration_minutes > 0", name="estimated_duration_minutes"),
    )


class Embedding(Base):
    """A chunk of a chapter with its vector, for search by meaning."""

    __tablename__ = "embeddings"

    chapter_id: Mapped[UUID] = mapped_column(ForeignKey("chapters.id", ondelete="CASCADE"))
    chunk_index: Mapped[int]
    content: Mapped[str]
    embedding_model: Mapped[str] = mapped_column(String(100), server_default="text-embedding-3-small")
    # Six kilobytes that a search reads in the database only: never fetched along with a row.
    embedding: Mapped[list[float]] = mapped_column(VECTOR(1536), deferred=True, deferred_raiseload=True)

    chapter: Mapped[Chapter] = belongs_to(back_populates="embeddings")

    __table_args__ = (
        UniqueConstraint("chapter_id", "embedding_model", "chunk_index"),
        Index(
            None,
            "embedding",
            postgresql_using="hnsw",
            postgresql_ops={"embedding": "vector_cosine_ops"},
            postgresql_with={"m": 16, "ef_construction": 200},
        ),
        CheckConstraint("chunk_index >= 0", name="chunk_index"),
    )


class ChapterProgress(Base):
    """How far one user is in one chapter."""

    __tablename__ = "chapter_progress"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    chapter_id: Mapped[UUID] = mapped_column(ForeignKey("chapters.id", ondelete="CASCADE"), index=True)
    status: Mapped[ProgressStatus] = mapped_column(server_default=ProgressStatus.NOT_STARTED)
    progress_percentage: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    time_spent_seconds: Mapped[int] = mapped_column(server_default=text("0"))
    quiz_score: Mapped[float | None]
    quiz_passed: Mapped[bool] = mapped_column(server_default="false")
    exercise_passed: Mapped[bool] = mapped_column(server_default="false")
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]

    user: Mapped[User] = belongs_to(back_populates="progress")
    chapter: Mapped[Chapter] = belongs_to(back_populates="progress")

    __table_args__ = (
        UniqueConstraint("user_id", "chapter_id"),
        CheckConstraint("progress_percentage BETWEEN 0 AND 100", name="progress_percentage"),
        CheckConstraint("time_spent_seconds >= 0", name="time_spent_seconds"),
        CheckConstraint("quiz_score BETWEEN 0 AND 100", name="quiz_score"),
    )


class ChatMessage(Base):
    """A question and its answer."""

    __tablename__ = "chat_messages"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    conversation_session_id: Mapped[UUID]
    parent_message_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("chat_messages.id", ondelete="CASCADE"), index=True
    )
    query: Mapped[str]
    response: Mapped[str]
    intent: Mapped[str | None] = mapped_column(String(100))
    context_chapter_id: Mapped[UUID | None] = mapped_column(ForeignKey("chapters.id", ondelete="SET NULL"), index=True)
    context_module_slug: Mapped[str | None] = mapped_column(String(100))
    user_difficulty_level: Mapped[DifficultyLevel | None]
    clarification_depth: Mapped[int] = mapped_column(server_default=text("0"))
    was_follow_up: Mapped[bool] = mapped_column(server_default="false")
    sources: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    user_rating: Mapped[int | None] = mapped_column(SmallInteger)
    helpful_count: Mapped[int] = mapped_column(server_default=text("0"))
    unhelpful_count: Mapped[int] = mapped_column(server_default=text("0"))
    sentiment_score: Mapped[float | None]

    user: Mapped[User] = belongs_to(back_populates="chat_messages")
    parent: Mapped[ChatMessage | None] = belongs_to(back_populates="follow_ups", remote_side="ChatMessage.id")
    follow_ups: Mapped[list[ChatMessage]] = owns(back_populates="parent")
    context_chapter: Mapped[Chapter | None] = belongs_to()

    __table_args__ = (
        # One conversation, and one user's conversations, by keyset pages in the order of time.
        Index(None, "conversation_session_id", "created_at", "id"),
        Index(None, "user_id", "created_at", "id"),
        CheckConstraint("user_rating BETWEEN 1 AND 5", name="user_rating"),
        CheckConstraint("sentiment_score BETWEEN -1 AND 1", name="sentiment_score"),
    )


class Translation(Base):
    """A chapter in another language."""

    __tablename__ = "translations"

    chapter_id: Mapped[UUID] = mapped_column(ForeignKey("chapters.id", ondelete="CASCADE"))
    language_code: Mapped[str] = mapped_column(String(35))
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str]
    content_html: Mapped[str | None]
    is_published: Mapped[bool] = mapped_column(server_default="false")
    published_at: Mapped[datetime | None]

    chapter: Mapped[Chapter] = belongs_to(back_populates="translations")

    __table_args__ = (UniqueConstraint("chapter_id", "language_code"),)


class CapstoneSubmission(Base):
    """A final project, handed in for review."""

    __tablename__ = "capstone_submissions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str]
    source_code_url: Mapped[str | None] = mapped_column(String(2048))
    demo_url: Mapped[str | None] = mapped_column(String(2048))
    status: Mapped[SubmissionStatus] = mapped_column(server_default=SubmissionStatus.PENDING)
    score: Mapped[float | None]
    feedback: Mapped[str | None]
    reviewer_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    submitted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    reviewed_at: Mapped[datetime | None]

    user: Mapped[User] = belongs_to(back_populates="submissions", foreign_keys=user_id)
    reviewer: Mapped[User | None] = belongs_to(foreign_keys=reviewer_id)

    __table_args__ = (
        Index(None, "status", "submitted_at", "id"),  # the review queue
        Index(None, "user_id", "submitted_at", "id"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
    )


declare(
    Base.metadata,
    *SEARCH_DOCUMENT,
    Extension("vector", minimum_version="0.8"),
    # Kept in the row, not beside it in TOAST: exact search reads vectors 2.5 to 3.7 times as fast.
    SQLObject("ALTER TABLE embeddings ALTER COLUMN embedding SET STORAGE PLAIN"),
)
