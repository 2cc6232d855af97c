"""first and last names

Revision ID: 5c88f0b2e64a
Revises: ad30e9c71f5b

"""

import sqlalchemy as sa
from alembic import op

revision = "5c88f0b2e64a"
down_revision = "ad30e9c71f5b"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("pupils", sa.Column("first_name", sa.String(length=60)))
    op.add_column("pupils", sa.Column("last_name", sa.String(length=60)))
    op.execute("UPDATE pupils SET first_name = split_part(name, ' ', 1), last_name = split_part(name, ' ', 2)")
    op.alter_column("pupils", "first_name", nullable=False)
    op.alter_column("pupils", "last_name", nullable=False)
    op.drop_column("pupils", "name")
    op.create_index("ix_pupils_name", "pupils", ["last_name", "first_name"])


def downgrade():
    op.drop_index("ix_pupils_name", table_name="pupils")
    op.add_column("pupils", sa.Column("name", sa.String(length=120)))
    op.execute("UPDATE pupils SET name = first_name || ' ' || last_name")
    op.alter_column("pupils", "name", nullable=False)
    op.drop_column("pupils", "last_name")
    op.drop_column("pupils", "first_name")
