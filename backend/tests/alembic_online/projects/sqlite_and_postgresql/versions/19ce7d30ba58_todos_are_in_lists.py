"""todos are in lists

Revision ID: 19ce7d30ba58
Revises: f04b6e81d2c9

"""

import sqlalchemy as sa
from alembic import op

revision = "19ce7d30ba58"
down_revision = "f04b6e81d2c9"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("lists", schema=None) as batch_op:
        batch_op.create_unique_constraint(batch_op.f("uq_lists_name"), ["name"])
    with op.batch_alter_table("todos", schema=None) as batch_op:
        batch_op.add_column(sa.Column("list_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_todos_list_id_lists"), "lists", ["list_id"], ["id"])
    op.execute("UPDATE todos SET list_id = id % 3 + 1")


def downgrade():
    with op.batch_alter_table("todos", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_todos_list_id_lists"), type_="foreignkey")
        batch_op.drop_column("list_id")
    with op.batch_alter_table("lists", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_lists_name"), type_="unique")
