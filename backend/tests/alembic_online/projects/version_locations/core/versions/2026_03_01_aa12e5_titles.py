"""titles are in the body

Revision ID: aa12e5
Revises: aa11d4

"""

import sqlalchemy as sa
from alembic import op

revision = "aa12e5"
down_revision = "aa11d4"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("UPDATE articles SET body = title || E'\\n' || body")
    op.drop_column("articles", "title")
    op.add_column("articles", sa.Column("published", sa.Date()))


def downgrade():
    op.drop_column("articles", "published")
    op.add_column("articles", sa.Column("title", sa.String(length=80)))
    op.execute("UPDATE articles SET title = split_part(body, E'\\n', 1), body = split_part(body, E'\\n', 2)")
    op.alter_column("articles", "title", nullable=False)
