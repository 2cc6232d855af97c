"""kitchen: how long it takes

Revision ID: 0003
Revises: 0002

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    op.alter_column(
        "dish",
        "minutes",
        new_column_name="takes",
        existing_type=sa.Integer(),
        type_=postgresql.INTERVAL(),
        postgresql_using="minutes * interval '1 minute'",
    )


def downgrade():
    op.alter_column(
        "dish",
        "takes",
        new_column_name="minutes",
        existing_type=postgresql.INTERVAL(),
        type_=sa.Integer(),
        postgresql_using="(extract(epoch FROM takes) / 60)::integer",
    )
