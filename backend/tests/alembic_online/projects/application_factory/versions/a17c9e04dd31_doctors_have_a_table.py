"""doctors have a table

Revision ID: a17c9e04dd31
Revises: 3fd06c1a7b52

"""

import sqlalchemy as sa
from alembic import op

revision = "a17c9e04dd31"
down_revision = "3fd06c1a7b52"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("INSERT INTO doctor (name) SELECT DISTINCT doctor FROM visit ORDER BY doctor")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("doctor_id", sa.Integer(), nullable=True))
    op.execute("UPDATE visit SET doctor_id = doctor.id FROM doctor WHERE doctor.name = visit.doctor")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.alter_column("doctor_id", nullable=False)
        batch_op.create_foreign_key("visit_doctor_id_fkey", "doctor", ["doctor_id"], ["id"])
        batch_op.drop_column("doctor")


def downgrade():
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("doctor", sa.String(length=100), nullable=True))
    op.execute("UPDATE visit SET doctor = doctor.name FROM doctor WHERE doctor.id = visit.doctor_id")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.alter_column("doctor", nullable=False)
        batch_op.drop_constraint("visit_doctor_id_fkey", type_="foreignkey")
        batch_op.drop_column("doctor_id")
    op.execute("DELETE FROM doctor")
