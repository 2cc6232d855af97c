"""open is the opposite of done

Revision ID: c6b38f0142de
Revises: 5d7c20e9f4ab

"""

import sqlalchemy as sa
from alembic import op

revision = "c6b38f0142de"
down_revision = "5d7c20e9f4ab"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("todos", schema=None) as batch_op:
        batch_op.alter_column("title", existing_type=sa.String(length=80), type_=sa.Text(), existing_nullable=False)
        batch_op.add_column(sa.Column("open", sa.Boolean(), server_default=sa.true(), nullable=False))
    todos = sa.table("todos", sa.column("done", sa.Boolean), sa.column("open", sa.Boolean))
    op.execute(todos.update().values(open=~todos.c.done))
    with op.batch_alter_table("todos", schema=None) as batch_op:
        batch_op.drop_column("done")


def downgrade():
    with op.batch_alter_table("todos", schema=None) as batch_op:
        batch_op.add_column(sa.Column("done", sa.Boolean(), nullable=True))
    todos = sa.table("todos", sa.column("done", sa.Boolean), sa.column("open", sa.Boolean))
    op.execute(todos.update().values(done=~todos.c.open))
    with op.batch_alter_table("todos", schema=None) as batch_op:
        batch_op.alter_column("done", existing_type=sa.Boolean(), nullable=False)
        batch_op.drop_column("open")
        batch_op.alter_column("title", existing_type=sa.Text(), type_=sa.String(length=80), existing_nullable=False)
