"""notes belong to their authors

Revision ID: f3a905c7d1b8
Revises: 8c1f4b2a90de

"""

from alembic import op

revision = "f3a905c7d1b8"
down_revision = "8c1f4b2a90de"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_notes_author", "notes", ["author_id"], unique=False)
    op.create_foreign_key("fk_notes_author", "notes", "users", ["author_id"], ["id"], ondelete="CASCADE")


def downgrade():
    op.drop_constraint("fk_notes_author", "notes", type_="foreignkey")
    op.drop_index("ix_notes_author", table_name="notes")
