"""kinds of places

Revision ID: e5b0938dc27f
Revises: 7ac4d1f20b96

"""

import sqlalchemy as sa
from alembic import op

revision = "e5b0938dc27f"
down_revision = "7ac4d1f20b96"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("places", sa.Column("kind", sa.String(length=20), nullable=True), schema="geo")
    op.execute("UPDATE geo.places SET kind = CASE WHEN id % 9 = 0 THEN 'city' ELSE 'village' END WHERE kind IS NULL")
    op.alter_column("places", "kind", nullable=False, schema="geo")
    op.create_index("ix_geo_places_kind", "places", ["kind", "name"], schema="geo")
    op.execute("CREATE VIEW place_statistics AS SELECT kind, count(*) AS places FROM geo.places GROUP BY kind")


def downgrade():
    op.execute("DROP VIEW place_statistics")
    op.drop_index("ix_geo_places_kind", table_name="places", schema="geo")
    op.drop_column("places", "kind", schema="geo")
