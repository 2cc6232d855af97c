"""more messages than an integer can count

Revision ID: b72e5f189c0d
Revises: e8f1c06ab9d2

"""

import sqlalchemy as sa
from alembic import op

revision = "b72e5f189c0d"
down_revision = "e8f1c06ab9d2"
branch_labels = None
depends_on = None


def upgrade():
    op.alter_column(
        "messages",
        "id",
        existing_type=sa.Integer(),
        type_=sa.BigInteger(),
        existing_nullable=False,
        existing_server_default=sa.text("nextval('messages_id_seq'::regclass)"),
    )
    op.execute("ALTER SEQUENCE messages_id_seq AS bigint")
    op.create_foreign_key("messages_room_id_fkey", "messages", "rooms", ["room_id"], ["id"])
    op.create_index("ix_messages_room", "messages", ["room_id", sa.text("sent_at DESC")])


def downgrade():
    op.drop_index("ix_messages_room", table_name="messages")
    op.drop_constraint("messages_room_id_fkey", "messages", type_="foreignkey")
    op.execute("ALTER SEQUENCE messages_id_seq AS integer")
    op.alter_column(
        "messages",
        "id",
        existing_type=sa.BigInteger(),
        type_=sa.Integer(),
        existing_nullable=False,
        existing_server_default=sa.text("nextval('messages_id_seq'::regclass)"),
    )
