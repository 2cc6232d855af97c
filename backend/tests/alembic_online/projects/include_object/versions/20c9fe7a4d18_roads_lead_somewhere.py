"""roads lead somewhere

Revision ID: 20c9fe7a4d18
Revises: e5b0938dc27f

"""

import sqlalchemy as sa
from alembic import op

revision = "20c9fe7a4d18"
down_revision = "e5b0938dc27f"
branch_labels = None
depends_on = None


def upgrade():
    op.create_foreign_key("fk_roads_starts_at", "roads", "places", ["starts_at"], ["id"], referent_schema="geo")
    op.create_foreign_key("fk_roads_ends_at", "roads", "places", ["ends_at"], ["id"], referent_schema="geo")
    op.add_column("roads", sa.Column("length", sa.Float()))
    op.execute(
        "UPDATE roads SET length = sqrt((a.latitude - b.latitude) ^ 2 + (a.longitude - b.longitude) ^ 2)"
        " FROM geo.places a, geo.places b WHERE a.id = starts_at AND b.id = ends_at"
    )


def downgrade():
    op.drop_column("roads", "length")
    op.drop_constraint("fk_roads_ends_at", "roads", type_="foreignkey")
    op.drop_constraint("fk_roads_starts_at", "roads", type_="foreignkey")
