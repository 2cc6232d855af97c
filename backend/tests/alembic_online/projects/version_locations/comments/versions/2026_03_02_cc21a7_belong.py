"""comments belong to articles

Revision ID: cc21a7
Revises: cc20f6

"""

from alembic import op

revision = "cc21a7"
down_revision = "cc20f6"
branch_labels = None
depends_on = None


def upgrade():
    op.create_foreign_key("comments_article_id_fkey", "comments", "articles", ["article_id"], ["id"])
    op.create_index("ix_comments_article", "comments", ["article_id", "id"])


def downgrade():
    op.drop_index("ix_comments_article", table_name="comments")
    op.drop_constraint("comments_article_id_fkey", "comments")
