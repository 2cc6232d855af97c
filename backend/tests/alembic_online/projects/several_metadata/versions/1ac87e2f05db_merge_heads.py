"""merge heads

Revision ID: 1ac87e2f05db
Revises: 48b1fa9e60c3, b60d7713ae8f

"""

revision = "1ac87e2f05db"
down_revision = ("48b1fa9e60c3", "b60d7713ae8f")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
