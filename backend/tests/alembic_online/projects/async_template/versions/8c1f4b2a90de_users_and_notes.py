"""users and notes

Revision ID: 8c1f4b2a90de
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "8c1f4b2a90de"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO users (email) SELECT 'u' || n || '@example.org' FROM generate_series(1, 50) n")
    op.execute(
        "INSERT INTO notes (author_id, title, settings, created_at)"
        " SELECT n % 50 + 1, 'note ' || n, json_build_object('pinned', n % 7 = 0),"
        " '2026-01-01'::timestamp + n * interval '1 h'"
        " FROM generate_series(1, 500) n"
    )


def downgrade():
    op.drop_table("notes")
    op.drop_table("users")
