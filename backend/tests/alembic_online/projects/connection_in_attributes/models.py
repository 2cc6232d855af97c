import sqlalchemy as sa

metadata = sa.MetaData()
rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("topic", sa.Text, nullable=False, server_default=""),
    sa.Column("kind", sa.Enum("direct", "group", name="room_kind"), nullable=False),
)
messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("room_id", sa.Uuid, sa.ForeignKey("rooms.id", name="messages_room_id_fkey"), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("ix_messages_room", "room_id", sa.text("sent_at DESC")),
)
