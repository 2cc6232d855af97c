"""kinds of rooms

Revision ID: 40b9da73ce15
Revises: e8f1c06ab9d2

"""

import sqlalchemy as sa
from alembic import op

revision = "40b9da73ce15"
down_revision = "e8f1c06ab9d2"
branch_labels = None
depends_on = None


def upgrade():
    kind = sa.Enum("direct", "group", name="room_kind")
    kind.create(op.get_bind())
    op.add_column("rooms", sa.Column("kind", kind, nullable=True))
    op.execute("UPDATE rooms SET kind = (CASE WHEN topic IS NULL THEN 'direct' ELSE 'group' END)::room_kind")
    op.execute("UPDATE rooms SET topic = '' WHERE topic IS NULL")
    op.alter_column("rooms", "kind", nullable=False)
    op.alter_column("rooms", "topic", existing_type=sa.Text(), nullable=False, server_default="")


def downgrade():
    op.alter_column("rooms", "topic", existing_type=sa.Text(), nullable=True, server_default=None)
    op.execute("UPDATE rooms SET topic = NULL WHERE kind = 'direct'")
    op.drop_column("rooms", "kind")
    sa.Enum(name="room_kind").drop(op.get_bind())
