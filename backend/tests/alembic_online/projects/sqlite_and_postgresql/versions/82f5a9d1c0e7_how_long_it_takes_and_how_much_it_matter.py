"""how long it takes, and how much it matters

Revision ID: 82f5a9d1c0e7
Revises: f04b6e81d2c9

"""

import sqlalchemy as sa
from alembic import op

revision = "82f5a9d1c0e7"
down_revision = "f04b6e81d2c9"
branch_labels = None
depends_on = None


def upgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TYPE priority AS ENUM ('LOW', 'HIGH')")
    priority = sa.Enum("LOW", "HIGH", name="priority", create_type=False)
    with op.batch_alter_table("todos", schema=None) as batch_op:
        batch_op.add_column(sa.Column("minutes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("priority", priority, server_default="LOW", nullable=False))
        batch_op.create_check_constraint("minutes", "minutes > 0")
    op.execute("UPDATE todos SET minutes = 5 WHERE id % 4 = 0")


def downgrade():
    with op.batch_alter_table("todos", schema=None) as batch_op:
        batch_op.drop_constraint("minutes", type_="check")
        batch_op.drop_column("priority")
        batch_op.drop_column("minutes")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TYPE priority")
