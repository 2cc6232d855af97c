"""cancelled visits

Revision ID: e90d4471c8ab
Revises: 66e2b8f5190c

"""

import sqlalchemy as sa
from alembic import op

revision = "e90d4471c8ab"
down_revision = "66e2b8f5190c"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cancelled", sa.Boolean(), server_default=sa.text("false"), nullable=False))
        batch_op.create_unique_constraint("visit_doctor_id_at_key", ["doctor_id", "at"])


def downgrade():
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_constraint("visit_doctor_id_at_key", type_="unique")
        batch_op.drop_column("cancelled")
