from sqlalchemy import CheckConstraint, Column, Date, Enum, ForeignKey, Integer, MetaData, Numeric, String, Table

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
customers = Table(
    "customers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(200), nullable=False, unique=True),
)
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", Integer, ForeignKey("customers.id"), nullable=False, index=True),
    Column("placed_on", Date, nullable=False),
    Column("total", Numeric(12, 2), nullable=False, server_default="0"),
    Column("state", Enum("new", "paid", "sent", "lost", name="order_state"), nullable=False, server_default="new"),
    CheckConstraint("total >= 0", name="total"),
)
