"""merge names and classes

Revision ID: b93f27de610c
Revises: 5c88f0b2e64a, 0e71d4a99c32

"""

revision = "b93f27de610c"
down_revision = ("5c88f0b2e64a", "0e71d4a99c32")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
