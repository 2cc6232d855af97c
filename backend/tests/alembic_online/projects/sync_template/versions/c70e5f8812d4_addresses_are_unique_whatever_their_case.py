"""addresses are unique, whatever their case was

Revision ID: c70e5f8812d4
Revises: 1b9d03e7c6aa

"""

from alembic import op

revision = "c70e5f8812d4"
down_revision = "1b9d03e7c6aa"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("UPDATE customers SET email = lower(email)")
    op.create_unique_constraint(op.f("uq_customers_email"), "customers", ["email"])


def downgrade():
    op.drop_constraint(op.f("uq_customers_email"), "customers", type_="unique")
