"""kitchen: ingredients

Revision ID: 0002
Revises: 0001

"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "ingredient",
        sa.Column("dish_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("grams", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["dish_id"], ["dish.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dish_id", "name"),
    )
    op.execute("INSERT INTO ingredient SELECT id, 'salt', id % 9 FROM dish")


def downgrade():
    op.drop_table("ingredient")
