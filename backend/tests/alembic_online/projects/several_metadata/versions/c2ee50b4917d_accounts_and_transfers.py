"""accounts and transfers

Revision ID: c2ee50b4917d
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "c2ee50b4917d"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=60), nullable=False),
        sa.Column("balance", sa.Numeric(precision=14, scale=2), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "transfer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO account (owner, balance) SELECT 'owner ' || n, n FROM generate_series(1, 60) n")
    op.execute(
        "INSERT INTO transfer (source_id, target_id, amount) SELECT n % 60 + 1, (n + 7) % 60 + 1, n / 4.0"
        " FROM generate_series(1, 300) n"
    )


def downgrade():
    op.drop_table("transfer")
    op.drop_table("account")
