"""celsius

Revision ID: ce13f972a80b
Revises: 7b4d18e6095f

"""

import sqlalchemy as sa
from alembic import op

revision = "ce13f972a80b"
down_revision = "7b4d18e6095f"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("readings", sa.Column("celsius", sa.Numeric(5, 2), nullable=True))
    op.execute("UPDATE readings SET celsius = (fahrenheit - 32) / 1.8")
    op.alter_column("readings", "celsius", nullable=False)
    op.drop_column("readings", "fahrenheit")


def downgrade():
    op.add_column("readings", sa.Column("fahrenheit", sa.Numeric(5, 2), nullable=True))
    op.execute("UPDATE readings SET fahrenheit = round(celsius * 1.8 + 32)")
    op.alter_column("readings", "fahrenheit", nullable=False)
    op.drop_column("readings", "celsius")
