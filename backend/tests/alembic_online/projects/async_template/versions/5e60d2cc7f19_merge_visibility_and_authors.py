"""merge visibility and authors

Revision ID: 5e60d2cc7f19
Revises: 2d7be6f01a43, f3a905c7d1b8

"""

revision = "5e60d2cc7f19"
down_revision = ("2d7be6f01a43", "f3a905c7d1b8")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
