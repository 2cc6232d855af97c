"""customers and orders

Revision ID: 1b9d03e7c6aa
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "1b9d03e7c6aa"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=False),
        sa.Column("total", sa.Numeric(precision=10, scale=2), server_default="0", nullable=False),
        sa.Column("state", sa.Enum("new", "paid", "sent", name="order_state"), server_default="new", nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_orders_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    op.execute(
        """
        INSERT INTO customers (email) SELECT 'Customer' || n || '@Example.org' FROM generate_series(1, 40) n;
        INSERT INTO orders (customer_id, placed_on, total, state)
        SELECT n % 40 + 1, date '2026-01-01' + n % 300, n / 7.0,
               (CASE n % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'paid' ELSE 'sent' END)::order_state
        FROM generate_series(1, 400) n;
        """
    )


def downgrade():
    op.drop_table("orders")
    op.drop_table("customers")
    op.execute("DROP TYPE order_state")
