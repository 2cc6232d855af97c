"""pupils who have left, small grades

Revision ID: 782a0c5df4e1
Revises: b93f27de610c

"""

import sqlalchemy as sa
from alembic import op

revision = "782a0c5df4e1"
down_revision = "b93f27de610c"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("CREATE TYPE pupil_status AS ENUM ('active', 'left')")
    op.execute("ALTER TABLE pupils ADD COLUMN status pupil_status NOT NULL DEFAULT 'active'")
    op.execute("UPDATE pupils SET status = 'left' WHERE grade = 5")
    op.alter_column("pupils", "grade", type_=sa.SmallInteger())


def downgrade():
    op.alter_column("pupils", "grade", type_=sa.Integer())
    op.execute("ALTER TABLE pupils DROP COLUMN status")
    op.execute("DROP TYPE pupil_status")
