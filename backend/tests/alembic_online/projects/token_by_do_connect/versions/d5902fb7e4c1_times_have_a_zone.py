"""times have a zone

Revision ID: d5902fb7e4c1
Revises: 31e7ca0d95b8

"""

import sqlalchemy as sa
from alembic import op

revision = "d5902fb7e4c1"
down_revision = "31e7ca0d95b8"
branch_labels = None
depends_on = None


def upgrade():
    op.alter_column(
        "readings",
        "at",
        existing_type=sa.DateTime(),
        type_=sa.DateTime(timezone=True),
        postgresql_using="at AT TIME ZONE 'UTC'",
    )


def downgrade():
    op.alter_column(
        "readings",
        "at",
        existing_type=sa.DateTime(timezone=True),
        type_=sa.DateTime(),
        postgresql_using="at AT TIME ZONE 'UTC'",
    )
