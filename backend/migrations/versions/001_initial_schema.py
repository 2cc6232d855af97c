"""Initial schema

The nine tables of the course platform, with their enum types, the extension for vectors and the function that keeps
updated_at. The downgrade takes away what this revision made, and nothing else: an extension that was there before, or
that somebody uses by now, stays.

Revision ID: 001_initial_schema
Revises:
Create Date: 2025-12-10 00:00:00.000000

"""

from functools import partial

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import VECTOR
from sqlalchemy.dialects import postgresql

revision: str = "001_initial_schema"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

required = partial(sa.Column, nullable=False)
cascade = partial(sa.ForeignKey, ondelete="CASCADE")
set_null = partial(sa.ForeignKey, ondelete="SET NULL")
enum = partial(postgresql.ENUM, create_type=False)
timestamptz = sa.TIMESTAMP(timezone=True)
uuid = sa.UUID()

# Created once, before the tables: difficulty_level serves two of them.
theme = enum("light", "dark", "system", name="theme")
difficulty_level = enum("beginner", "intermediate", "advanced", name="difficulty_level")
progress_status = enum("not_started", "in_progress", "completed", name="progress_status")
submission_status = enum("pending", "reviewing", "approved", "rejected", name="submission_status")
ENUM_TYPES = (theme, difficulty_level, progress_status, submission_status)

# Conditions are left to PostgreSQL, so that the SQL of offline mode decides as well. The comment marks who made it.
CREATE_EXTENSION = """
DO $$
DECLARE installed text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        CREATE EXTENSION vector;
        COMMENT ON EXTENSION vector IS 'created by revision 001_initial_schema';
    END IF;
    SELECT extversion INTO installed FROM pg_extension WHERE extname = 'vector';
    IF string_to_array(installed, '.')::int[] < ARRAY[0, 8] THEN
        RAISE EXCEPTION USING
            MESSAGE = 'Extension vector ' || installed || ' is too old: 0.8 or newer is needed.',
            HINT = 'Run ALTER EXTENSION vector UPDATE; if the server has nothing newer, install pgvector 0.8 first.',
            ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$"""

DROP_EXTENSION = """
DO $$
BEGIN
    IF (SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'vector')
        = 'created by revision 001_initial_schema' THEN
        DROP EXTENSION vector;
    END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE NOTICE 'Extension vector stays: other objects of this database depend on it.';
END
$$"""

CREATE_FUNCTION = """\
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$"""


def upgrade() -> None:
    """Create the extension, the enum types and the function, then the tables that use them."""
    op.execute(CREATE_EXTENSION)
    for enum_type in ENUM_TYPES:
        op.execute(postgresql.CreateEnumType(enum_type))
    op.execute(CREATE_FUNCTION)
    create_accounts()
    create_course()
    create_embeddings()
    create_progress()
    create_chat_messages()
    create_submissions()


def downgrade() -> None:
    """Drop the tables, and with them their indexes and triggers; then what they used."""
    op.drop_table("capstone_submissions")
    op.drop_table("chat_messages")
    op.drop_table("chapter_progress")
    op.drop_table("embeddings")
    op.drop_table("translations")
    op.drop_table("chapters")
    op.drop_table("modules")
    op.drop_table("user_profiles")
    op.drop_table("users")
    op.execute("DROP FUNCTION set_updated_at()")
    for enum_type in ENUM_TYPES:
        op.execute(postgresql.DropEnumType(enum_type))
    op.execute(DROP_EXTENSION)


def create_table(table: str, *columns: sa.schema.SchemaItem) -> None:
    """Create a table with what all tables share: UUID primary key, timestamps, and the trigger that keeps them."""
    op.create_table(
        table,
        required("id", uuid, server_default=sa.func.gen_random_uuid()),
        *columns,
        required("created_at", timestamptz, server_default=sa.func.now()),
        required("updated_at", timestamptz, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}_id"),
    )
    op.execute(f"CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION set_updated_at()")


def create_accounts() -> None:
    create_table(
        "users",
        required("email", sa.String(320)),
        required("password_hash", sa.String(255)),
        required("name", sa.String(255)),
        required("is_active", sa.Boolean(), server_default=sa.true()),
        required("is_admin", sa.Boolean(), server_default=sa.false()),
        required("language_preference", sa.String(35), server_default="en"),
        required("theme", theme, server_default="system"),
        sa.Column("last_login", timestamptz),
    )
    op.create_index("uq_users_email", "users", [sa.text("lower(email)")], unique=True)
    create_table(
        "user_profiles",
        required("user_id", uuid, cascade("users.id", name="fk_user_profiles_user_id")),
        sa.Column("bio", sa.String(500)),
        sa.Column("avatar_url", sa.String(2048)),
        sa.Column("organization", sa.String(255)),
        sa.Column("country", sa.String(100)),
        required("email_notifications", sa.Boolean(), server_default=sa.true()),
        required("show_progress_publicly", sa.Boolean(), server_default=sa.false()),
        sa.UniqueConstraint("user_id", name="uq_user_profiles_user_id"),
    )


def create_course() -> None:
    create_table(
        "modules",
        required("slug", sa.String(100)),
        required("title", sa.String(255)),
        required("description", sa.Text()),
        required("position", sa.Integer()),
        required("is_published", sa.Boolean(), server_default=sa.false()),
        sa.Column("published_at", timestamptz),
        sa.UniqueConstraint("slug", name="uq_modules_slug"),
    )
    op.create_index("ix_modules_position_id", "modules", ["position", "id"])
    create_table(
        "chapters",
        required("module_id", uuid, cascade("modules.id", name="fk_chapters_module_id")),
        required("slug", sa.String(100)),
        required("title", sa.String(255)),
        required("description", sa.Text()),
        required("position", sa.Integer()),
        required("difficulty_level", difficulty_level, server_default="intermediate"),
        required("estimated_duration_minutes", sa.Integer(), server_default=sa.text("60")),
        sa.Column("content_html", sa.Text()),
        required("learning_objectives", sa.ARRAY(sa.Text()), server_default="{}"),
        required("is_published", sa.Boolean(), server_default=sa.false()),
        sa.Column("published_at", timestamptz),
        sa.UniqueConstraint("module_id", "slug", name="uq_chapters_module_id_slug"),
        sa.CheckConstraint("estimated_duration_minutes > 0", name=op.f("ck_chapters_estimated_duration_minutes")),
    )
    columns = ["module_id", "position", "id"]
    op.create_index("ix_chapters_module_id_position_id", "chapters", columns, postgresql_include=["is_published"])
    create_table(
        "translations",
        required("chapter_id", uuid, cascade("chapters.id", name="fk_translations_chapter_id")),
        required("language_code", sa.String(35)),
        required("title", sa.String(255)),
        required("description", sa.Text()),
        sa.Column("content_html", sa.Text()),
        required("is_published", sa.Boolean(), server_default=sa.false()),
        sa.Column("published_at", timestamptz),
        sa.UniqueConstraint("chapter_id", "language_code", name="uq_translations_chapter_id_language_code"),
    )


def create_embeddings() -> None:
    unique = ("chapter_id", "embedding_model", "chunk_index")
    create_table(
        "embeddings",
        required("chapter_id", uuid, cascade("chapters.id", name="fk_embeddings_chapter_id")),
        required("chunk_index", sa.Integer()),
        required("content", sa.Text()),
        required("embedding_model", sa.String(100), server_default="text-embedding-3-small"),
        required("embedding", VECTOR(1536)),
        sa.UniqueConstraint(*unique, name="uq_embeddings_chapter_id_embedding_model_chunk_index"),
        sa.CheckConstraint("chunk_index >= 0", name=op.f("ck_embeddings_chunk_index")),
    )
    # In the row, not beside it in TOAST: exact search reads vectors 2.5 to 3.7 times as fast.
    op.execute("ALTER TABLE embeddings ALTER COLUMN embedding SET STORAGE PLAIN")
    op.create_index(
        "ix_embeddings_embedding",
        "embeddings",
        ["embedding"],
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
        postgresql_with={"m": 16, "ef_construction": 200},
    )


def create_progress() -> None:
    create_table(
        "chapter_progress",
        required("user_id", uuid, cascade("users.id", name="fk_chapter_progress_user_id")),
        required("chapter_id", uuid, cascade("chapters.id", name="fk_chapter_progress_chapter_id")),
        required("status", progress_status, server_default="not_started"),
        required("progress_percentage", sa.SmallInteger(), server_default=sa.text("0")),
        required("time_spent_seconds", sa.Integer(), server_default=sa.text("0")),
        sa.Column("quiz_score", sa.Double()),
        required("quiz_passed", sa.Boolean(), server_default=sa.false()),
        required("exercise_passed", sa.Boolean(), server_default=sa.false()),
        sa.Column("started_at", timestamptz),
        sa.Column("completed_at", timestamptz),
        sa.UniqueConstraint("user_id", "chapter_id", name="uq_chapter_progress_user_id_chapter_id"),
        sa.CheckConstraint(
            "progress_percentage BETWEEN 0 AND 100", name=op.f("ck_chapter_progress_progress_percentage")
        ),
        sa.CheckConstraint("time_spent_seconds >= 0", name=op.f("ck_chapter_progress_time_spent_seconds")),
        sa.CheckConstraint("quiz_score BETWEEN 0 AND 100", name=op.f("ck_chapter_progress_quiz_score")),
    )
    op.create_index("ix_chapter_progress_chapter_id", "chapter_progress", ["chapter_id"])


def create_chat_messages() -> None:
    create_table(
        "chat_messages",
        required("user_id", uuid, cascade("users.id", name="fk_chat_messages_user_id")),
        required("conversation_session_id", uuid),
        sa.Column("parent_message_id", uuid, cascade("chat_messages.id", name="fk_chat_messages_parent_message_id")),
        required("query", sa.Text()),
        required("response", sa.Text()),
        sa.Column("intent", sa.String(100)),
        sa.Column("context_chapter_id", uuid, set_null("chapters.id", name="fk_chat_messages_context_chapter_id")),
        sa.Column("context_module_slug", sa.String(100)),
        sa.Column("user_difficulty_level", difficulty_level),
        required("clarification_depth", sa.Integer(), server_default=sa.text("0")),
        required("was_follow_up", sa.Boolean(), server_default=sa.false()),
        required("sources", postgresql.JSONB(), server_default="[]"),
        sa.Column("user_rating", sa.SmallInteger()),
        required("helpful_count", sa.Integer(), server_default=sa.text("0")),
        required("unhelpful_count", sa.Integer(), server_default=sa.text("0")),
        sa.Column("sentiment_score", sa.Double()),
        sa.CheckConstraint("user_rating BETWEEN 1 AND 5", name=op.f("ck_chat_messages_user_rating")),
        sa.CheckConstraint("sentiment_score BETWEEN -1 AND 1", name=op.f("ck_chat_messages_sentiment_score")),
    )
    op.create_index("ix_chat_messages_user_id_created_at_id", "chat_messages", ["user_id", "created_at", "id"])
    conversation = ["conversation_session_id", "created_at", "id"]
    op.create_index("ix_chat_messages_conversation_session_id_created_at_id", "chat_messages", conversation)
    op.create_index("ix_chat_messages_parent_message_id", "chat_messages", ["parent_message_id"])
    op.create_index("ix_chat_messages_context_chapter_id", "chat_messages", ["context_chapter_id"])


def create_submissions() -> None:
    create_table(
        "capstone_submissions",
        required("user_id", uuid, cascade("users.id", name="fk_capstone_submissions_user_id")),
        required("title", sa.String(255)),
        required("description", sa.Text()),
        sa.Column("source_code_url", sa.String(2048)),
        sa.Column("demo_url", sa.String(2048)),
        required("status", submission_status, server_default="pending"),
        sa.Column("score", sa.Double()),
        sa.Column("feedback", sa.Text()),
        sa.Column("reviewer_id", uuid, set_null("users.id", name="fk_capstone_submissions_reviewer_id")),
        required("submitted_at", timestamptz, server_default=sa.func.now()),
        sa.Column("reviewed_at", timestamptz),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_capstone_submissions_score")),
    )
    queue, own = ["status", "submitted_at", "id"], ["user_id", "submitted_at", "id"]
    op.create_index("ix_capstone_submissions_status_submitted_at_id", "capstone_submissions", queue)
    op.create_index("ix_capstone_submissions_user_id_submitted_at_id", "capstone_submissions", own)
    op.create_index("ix_capstone_submissions_reviewer_id", "capstone_submissions", ["reviewer_id"])
