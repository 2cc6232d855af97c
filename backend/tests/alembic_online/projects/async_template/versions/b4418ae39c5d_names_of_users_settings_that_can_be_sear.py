"""names of users, settings that can be searched

Revision ID: b4418ae39c5d
Revises: 5e60d2cc7f19

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b4418ae39c5d"
down_revision = "5e60d2cc7f19"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("users", sa.Column("name", sa.String(length=80), nullable=True))
    connection = op.get_bind()
    for row in connection.execute(sa.text("SELECT id, email FROM users ORDER BY id")).all():
        connection.execute(
            sa.text("UPDATE users SET name = :name WHERE id = :id"), {"name": row.email.split("@")[0], "id": row.id}
        )
    op.alter_column("notes", "title", existing_type=sa.Text(), type_=sa.String(length=200), existing_nullable=False)
    op.alter_column(
        "notes", "settings", existing_type=sa.JSON(), type_=postgresql.JSONB(), postgresql_using="settings::jsonb"
    )


def downgrade():
    op.alter_column(
        "notes", "settings", existing_type=postgresql.JSONB(), type_=sa.JSON(), postgresql_using="settings::json"
    )
    op.alter_column("notes", "title", existing_type=sa.String(length=200), type_=sa.Text(), existing_nullable=False)
    op.drop_column("users", "name")
