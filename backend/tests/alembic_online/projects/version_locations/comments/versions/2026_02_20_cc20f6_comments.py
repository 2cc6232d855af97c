"""comments

Revision ID: cc20f6
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "cc20f6"
down_revision = None
branch_labels = ("comments",)
depends_on = "aa11d4"


def upgrade():
    op.create_table(
        "comments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO comments (article_id, text) SELECT id, 'on ' || slug FROM articles ORDER BY id")


def downgrade():
    op.drop_table("comments")
