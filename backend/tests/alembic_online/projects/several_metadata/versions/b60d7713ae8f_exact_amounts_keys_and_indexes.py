"""exact amounts, keys and indexes

Revision ID: b60d7713ae8f
Revises: c2ee50b4917d

"""

import sqlalchemy as sa
from alembic import op

revision = "b60d7713ae8f"
down_revision = "c2ee50b4917d"
branch_labels = None
depends_on = None


def upgrade():
    op.alter_column(
        "transfer", "amount", existing_type=sa.Float(), type_=sa.Numeric(precision=14, scale=2), existing_nullable=False
    )
    op.create_foreign_key("transfer_source_id_fkey", "transfer", "account", ["source_id"], ["id"])
    op.create_foreign_key("transfer_target_id_fkey", "transfer", "account", ["target_id"], ["id"])
    op.create_index(op.f("idx_transfer_source_id"), "transfer", ["source_id"])
    op.create_index(op.f("idx_transfer_target_id"), "transfer", ["target_id"])


def downgrade():
    op.drop_index(op.f("idx_transfer_target_id"), table_name="transfer")
    op.drop_index(op.f("idx_transfer_source_id"), table_name="transfer")
    op.drop_constraint("transfer_target_id_fkey", "transfer", type_="foreignkey")
    op.drop_constraint("transfer_source_id_fkey", "transfer", type_="foreignkey")
    op.alter_column(
        "transfer", "amount", existing_type=sa.Numeric(precision=14, scale=2), type_=sa.Float(), existing_nullable=False
    )
