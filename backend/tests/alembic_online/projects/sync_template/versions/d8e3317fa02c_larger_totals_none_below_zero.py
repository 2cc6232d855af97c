"""larger totals, none below zero

Revision ID: d8e3317fa02c
Revises: 0f62b7c9e151

"""

import sqlalchemy as sa
from alembic import op

revision = "d8e3317fa02c"
down_revision = "0f62b7c9e151"
branch_labels = None
depends_on = None


def upgrade():
    op.alter_column(
        "orders",
        "total",
        existing_type=sa.Numeric(precision=10, scale=2),
        type_=sa.Numeric(precision=12, scale=2),
        existing_nullable=False,
        existing_server_default=sa.text("0"),
    )
    op.create_check_constraint(op.f("ck_orders_total"), "orders", "total >= 0")
    op.create_index(op.f("ix_orders_customer_id"), "orders", ["customer_id"])


def downgrade():
    op.drop_index(op.f("ix_orders_customer_id"), table_name="orders")
    op.drop_constraint(op.f("ck_orders_total"), "orders", type_="check")
    op.alter_column(
        "orders",
        "total",
        existing_type=sa.Numeric(precision=12, scale=2),
        type_=sa.Numeric(precision=10, scale=2),
        existing_nullable=False,
        existing_server_default=sa.text("0"),
    )
