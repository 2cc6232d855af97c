"""pupils

Revision ID: ad30e9c71f5b
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "ad30e9c71f5b"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "pupils",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(
        "INSERT INTO pupils (name, grade) SELECT 'First' || n || ' Last' || n, n % 6 FROM generate_series(1, 200) n"
    )


def downgrade():
    op.drop_table("pupils")
