"""lists and todos

Revision ID: f04b6e81d2c9
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "f04b6e81d2c9"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "lists",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lists")),
    )
    op.create_table(
        "todos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todos")),
    )
    lists = sa.table("lists", sa.column("name", sa.String))
    todos = sa.table("todos", sa.column("title", sa.String), sa.column("done", sa.Boolean))
    op.bulk_insert(lists, [{"name": name} for name in ("home", "work", "someday")])
    op.bulk_insert(todos, [{"title": f"todo {n}", "done": n % 3 == 0} for n in range(200)])


def downgrade():
    op.drop_table("todos")
    op.drop_table("lists")
