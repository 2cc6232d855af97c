"""merge

Revision ID: 7b4d18e6095f
Revises: d5902fb7e4c1, a86c30f1bb27

"""

revision = "7b4d18e6095f"
down_revision = ("d5902fb7e4c1", "a86c30f1bb27")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
