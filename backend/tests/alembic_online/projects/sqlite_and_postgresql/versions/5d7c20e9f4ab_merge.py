"""merge

Revision ID: 5d7c20e9f4ab
Revises: 19ce7d30ba58, 82f5a9d1c0e7

"""

revision = "5d7c20e9f4ab"
down_revision = ("19ce7d30ba58", "82f5a9d1c0e7")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
