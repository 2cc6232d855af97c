"""a product has a name

Revision ID: 90dd7e5b13ac
Revises: e2409ad8c1f6

"""

from alembic import op

revision = "90dd7e5b13ac"
down_revision = "e2409ad8c1f6"
branch_labels = None
depends_on = None


def upgrade():
    op.alter_column("product", "title", new_column_name="name")


def downgrade():
    op.alter_column("product", "name", new_column_name="title")
