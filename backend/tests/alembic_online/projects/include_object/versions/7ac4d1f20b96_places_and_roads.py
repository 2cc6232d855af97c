"""places and roads

Revision ID: 7ac4d1f20b96
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "7ac4d1f20b96"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.execute("CREATE SCHEMA IF NOT EXISTS geo")
    op.create_table(
        "places",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="geo",
    )
    op.create_table(
        "roads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(
        "INSERT INTO geo.places (name, latitude, longitude)"
        " SELECT 'place ' || n, n % 180 - 90, n % 360 - 180 FROM generate_series(1, 300) n"
    )
    op.execute("INSERT INTO roads (starts_at, ends_at) SELECT n, 301 - n FROM generate_series(1, 300) n")


def downgrade():
    op.drop_table("roads")
    op.drop_table("places", schema="geo")
    op.execute("DROP SCHEMA geo")
