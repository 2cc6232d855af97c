"""articles

Revision ID: aa10c3
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "aa10c3"
down_revision = None
branch_labels = ("core",)
depends_on = None


def upgrade():
    op.create_table(
        "articles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO articles (title, body) SELECT 'Title ' || n, 'Body ' || n FROM generate_series(1, 120) n")


def downgrade():
    op.drop_table("articles")
