"""slugs

Revision ID: aa11d4
Revises: aa10c3

"""

import sqlalchemy as sa
from alembic import op

revision = "aa11d4"
down_revision = "aa10c3"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("articles", sa.Column("slug", sa.String(length=80)))
    op.execute("UPDATE articles SET slug = replace(lower(title), ' ', '-') WHERE slug IS NULL")
    op.alter_column("articles", "slug", nullable=False)
    op.create_unique_constraint("articles_slug_key", "articles", ["slug"])


def downgrade():
    op.drop_constraint("articles_slug_key", "articles")
    op.drop_column("articles", "slug")
