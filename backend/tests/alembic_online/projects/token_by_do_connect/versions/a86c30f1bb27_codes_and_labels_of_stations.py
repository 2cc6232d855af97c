"""codes and labels of stations

Revision ID: a86c30f1bb27
Revises: 31e7ca0d95b8

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "a86c30f1bb27"
down_revision = "31e7ca0d95b8"
branch_labels = None
depends_on = None


def upgrade():
    op.create_unique_constraint("stations_code_key", "stations", ["code"])
    op.create_foreign_key("readings_station_id_fkey", "readings", "stations", ["station_id"], ["id"])
    op.add_column("stations", sa.Column("labels", postgresql.ARRAY(sa.String(20)), server_default="{}", nullable=False))
    op.get_bind().exec_driver_sql("UPDATE stations SET labels = ARRAY['alpine'] WHERE id %% 3 = 0")


def downgrade():
    op.drop_column("stations", "labels")
    op.drop_constraint("readings_station_id_fkey", "readings", type_="foreignkey")
    op.drop_constraint("stations_code_key", "stations", type_="unique")
