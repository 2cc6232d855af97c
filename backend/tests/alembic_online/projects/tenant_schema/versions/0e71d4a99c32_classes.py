"""classes

Revision ID: 0e71d4a99c32
Revises: ad30e9c71f5b

"""

import sqlalchemy as sa
from alembic import op

revision = "0e71d4a99c32"
down_revision = "ad30e9c71f5b"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "classes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.execute("INSERT INTO classes (name) SELECT DISTINCT 'class ' || grade FROM pupils ORDER BY 1")
    op.add_column("pupils", sa.Column("class_id", sa.Integer()))
    op.execute("UPDATE pupils SET class_id = c.id FROM classes c WHERE c.name = 'class ' || grade")
    op.create_foreign_key("pupils_class_id_fkey", "pupils", "classes", ["class_id"], ["id"])


def downgrade():
    op.drop_constraint("pupils_class_id_fkey", "pupils", type_="foreignkey")
    op.drop_column("pupils", "class_id")
    op.drop_table("classes")
