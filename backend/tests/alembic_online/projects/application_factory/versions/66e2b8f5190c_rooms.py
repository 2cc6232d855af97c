"""rooms

Revision ID: 66e2b8f5190c
Revises: a17c9e04dd31

"""

import sqlalchemy as sa
from alembic import op

revision = "66e2b8f5190c"
down_revision = "a17c9e04dd31"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("doctor", schema=None) as batch_op:
        batch_op.add_column(sa.Column("room", sa.String(length=10), nullable=True))
    doctor = sa.table("doctor", sa.column("id", sa.Integer), sa.column("room", sa.String))
    op.get_bind().execute(sa.update(doctor).where(doctor.c.id < 5).values(room="1st floor"))


def downgrade():
    with op.batch_alter_table("doctor", schema=None) as batch_op:
        batch_op.drop_column("room")
