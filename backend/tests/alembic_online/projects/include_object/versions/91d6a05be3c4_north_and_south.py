"""north and south

Revision ID: 91d6a05be3c4
Revises: 20c9fe7a4d18

"""

import sqlalchemy as sa
from alembic import op

revision = "91d6a05be3c4"
down_revision = "20c9fe7a4d18"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "places",
        sa.Column(
            "northern",
            sa.String(length=5),
            sa.Computed("CASE WHEN latitude >= 0 THEN 'north' ELSE 'south' END", persisted=True),
        ),
        schema="geo",
    )


def downgrade():
    op.drop_column("places", "northern", schema="geo")
