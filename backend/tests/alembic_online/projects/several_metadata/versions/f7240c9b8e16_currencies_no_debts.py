"""currencies, no debts

Revision ID: f7240c9b8e16
Revises: 1ac87e2f05db

"""

import sqlalchemy as sa
from alembic import op

revision = "f7240c9b8e16"
down_revision = "1ac87e2f05db"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("account", sa.Column("currency", sa.String(length=3), server_default="EUR", nullable=False))
    op.create_check_constraint("account_balance_check", "account", "balance >= 0")


def downgrade():
    op.drop_constraint("account_balance_check", "account", type_="check")
    op.drop_column("account", "currency")
