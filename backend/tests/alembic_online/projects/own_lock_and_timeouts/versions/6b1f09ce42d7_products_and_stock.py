"""products and stock

Revision ID: 6b1f09ce42d7
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "6b1f09ce42d7"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "product",
        sa.Column("sku", sa.String(length=20), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sku"),
    )
    op.create_table(
        "stock",
        sa.Column("sku", sa.String(length=20), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False, server_default="0"),
    )
    op.execute("INSERT INTO product SELECT 'sku-' || n, 'product ' || n FROM generate_series(1, 150) n")
    op.execute("INSERT INTO stock SELECT sku, length(title) FROM product")


def downgrade():
    op.drop_table("stock")
    op.drop_table("product")
