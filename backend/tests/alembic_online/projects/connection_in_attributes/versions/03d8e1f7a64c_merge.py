"""merge

Revision ID: 03d8e1f7a64c
Revises: 40b9da73ce15, b72e5f189c0d

"""

revision = "03d8e1f7a64c"
down_revision = ("40b9da73ce15", "b72e5f189c0d")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
