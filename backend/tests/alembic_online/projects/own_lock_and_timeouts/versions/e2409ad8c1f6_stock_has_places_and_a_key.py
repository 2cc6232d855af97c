"""stock has places, and a key

Revision ID: e2409ad8c1f6
Revises: 6b1f09ce42d7

"""

import sqlalchemy as sa
from alembic import op

revision = "e2409ad8c1f6"
down_revision = "6b1f09ce42d7"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("stock", sa.Column("place", sa.String(length=10), nullable=True))
    op.execute("UPDATE stock SET place = 'A' || (pieces % 4)")
    op.alter_column("stock", "place", nullable=False)
    op.create_primary_key("stock_pkey", "stock", ["sku", "place"])
    op.create_foreign_key("stock_sku_fkey", "stock", "product", ["sku"], ["sku"])


def downgrade():
    op.drop_constraint("stock_sku_fkey", "stock", type_="foreignkey")
    op.drop_constraint("stock_pkey", "stock", type_="primary")
    op.drop_column("stock", "place")
