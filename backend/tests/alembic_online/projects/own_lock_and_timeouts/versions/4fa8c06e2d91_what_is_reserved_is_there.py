"""what is reserved is there

Revision ID: 4fa8c06e2d91
Revises: 90dd7e5b13ac

"""

import sqlalchemy as sa
from alembic import op

revision = "4fa8c06e2d91"
down_revision = "90dd7e5b13ac"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("stock", sa.Column("reserved", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE stock SET reserved = 1 WHERE pieces > 10")
    op.create_check_constraint("stock_reserved", "stock", "pieces >= reserved")


def downgrade():
    op.drop_constraint("stock_reserved", "stock")
    op.drop_column("stock", "reserved")
