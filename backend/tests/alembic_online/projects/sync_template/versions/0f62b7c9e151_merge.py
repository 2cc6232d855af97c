"""merge

Revision ID: 0f62b7c9e151
Revises: c70e5f8812d4, 94aa1d6b30ef

"""

revision = "0f62b7c9e151"
down_revision = ("c70e5f8812d4", "94aa1d6b30ef")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
