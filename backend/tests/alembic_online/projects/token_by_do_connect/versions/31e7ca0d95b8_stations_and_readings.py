"""stations and readings

Revision ID: 31e7ca0d95b8
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "31e7ca0d95b8"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "stations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "readings",
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("fahrenheit", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.PrimaryKeyConstraint("station_id", "at"),
    )
    op.execute("INSERT INTO stations (code) SELECT 'S' || n FROM generate_series(1, 20) n")
    op.execute(
        "INSERT INTO readings SELECT n % 20 + 1, timestamp '2026-06-01' + n * interval '10 min', 50 + n % 40"
        " FROM generate_series(1, 600) n"
    )


def downgrade():
    op.drop_table("readings")
    op.drop_table("stations")
