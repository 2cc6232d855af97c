"""rooms and messages

Revision ID: e8f1c06ab9d2
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "e8f1c06ab9d2"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "rooms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(
        "INSERT INTO rooms SELECT lpad(n::text, 32, '0')::uuid, CASE WHEN n % 2 = 0 THEN 'topic ' || n END"
        " FROM generate_series(1, 30) n"
    )
    op.execute(
        "INSERT INTO messages (room_id, text, sent_at)"
        " SELECT lpad((n % 30 + 1)::text, 32, '0')::uuid, 'message ' || n,"
        " timestamptz '2026-05-01 00:00+00' + n * interval '1 min'"
        " FROM generate_series(1, 400) n"
    )


def downgrade():
    op.drop_table("messages")
    op.drop_table("rooms")
